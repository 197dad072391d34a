import { afterEach, describe, expect, test } from "bun:test";
import { QueryAdmin } from "../../../../src/pipeline/query-admin.ts";
import { queryDetails, queryList } from "../../../../src/wire/http/sql-shapes.ts";
import { createHttpFixture } from "../../../support/http-fixture.ts";
import { SqlStack } from "../../../support/sql-stack.ts";

const opened: SqlStack[] = [];
afterEach(async () => {
  for (const stack of opened.splice(0)) await stack.close();
});

async function withQueries() {
  const stack = await SqlStack.open();
  opened.push(stack);
  const { log, platform, database } = stack.stack;
  const { manager } = stack;
  const queries = new QueryAdmin({
    ...{ log, platform, database, manager, topics: log.topics, identity: log.session },
    statusOf: (queryId) => manager.statusOf(queryId),
  });
  const { ask } = createHttpFixture({ sql: { sql: stack.service, queries } });
  await stack.run(`SET 'execution.checkpointing.interval' = '10 ms';
    CREATE STREAM bids (auction BIGINT, ts TIMESTAMP(3),
      WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('partitions' = '1');
    CREATE STREAM copies (auction BIGINT) WITH ('partitions' = '1');
    CREATE MATERIALIZED VIEW counts AS SELECT auction, COUNT(*) AS n, window_end
      FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)
      GROUP BY auction, window_start, window_end;
    INSERT INTO copies SELECT auction FROM bids`);
  const list = async () => queryList.parse(await (await ask("/v1/queries")).json()).queries;
  const idOf = async (target: string) =>
    (await list()).find((query) => query.target === target)?.queryId ?? "";
  return { stack, ask, list, idOf };
}

const bid = (second: number) => ({ auction: 1, ts: new Date(second * 1000).toISOString() });

describe("/v1/queries", () => {
  test("tell plan, place, lag, watermark and rows", async () => {
    const { stack, ask, idOf } = await withQueries();
    await stack.append("bids", [bid(1), bid(2), bid(12), "no JSON"]);
    const path = `/v1/queries/${await idOf("counts")}`;
    const query = await stack.until(async () => {
      const found = queryDetails.parse(await (await ask(path)).json());
      return found.live?.lastCommit != null && found.lag === 0 && found;
    });
    expect(query).toMatchObject({
      ...{ target: "counts", state: "running", failure: null, worker: { nodeId: 1 } },
      partitions: [{ topic: "bids", partition: 0, position: 4, highOffset: 4, lag: 0 }],
      plan: expect.stringContaining("Aggregate window tumble 10 s on ts by auction"),
      live: {
        ...{ rowsIn: 4, rowsOut: 1, rowsLate: 0, rowsWrong: 1, watermark: 11_000 },
        inputs: [{ topic: "bids", watermark: 11_000, heldBy: 0 }],
      },
    });
    expect(query.checkpointBytes).toBeGreaterThan(0);
  });

  test("are paused and resumed where they were", async () => {
    const { stack, ask, idOf } = await withQueries();
    const path = `/v1/queries/${await idOf("copies")}`;
    const paused = await ask(`${path}/pause`, { method: "POST" });
    expect(queryDetails.parse(await paused.json())).toMatchObject({ state: "paused", live: null });
    await stack.append("bids", [bid(1)]);
    expect(queryDetails.parse(await (await ask(path)).json()).lag).toBe(1);
    await ask(`${path}/resume`, { method: "POST" });
    const copies = await stack.until(async () => {
      const seen = await stack.records("copies");
      return seen.length > 0 && seen;
    });
    expect(copies.map(({ value }) => value)).toEqual(['{"auction":1}']);
  });

  test("are dropped, but not from under a view", async () => {
    const { stack, ask, idOf, list } = await withQueries();
    const inserting = await idOf("copies");
    expect((await ask(`/v1/queries/${inserting}`, { method: "DELETE" })).status).toBe(204);
    expect((await ask(`/v1/queries/${inserting}`)).status).toBe(404);
    expect((await list()).map(({ target }) => target)).toEqual(["counts"]);
    const names = (await stack.stack.log.topics.list()).map(({ name }) => name as string);
    expect(names.filter((name) => name.includes(inserting))).toEqual([]);
    const refused = await ask(`/v1/queries/${await idOf("counts")}`, { method: "DELETE" });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      detail: expect.stringContaining("DROP MATERIALIZED VIEW"),
    });
  });
});
