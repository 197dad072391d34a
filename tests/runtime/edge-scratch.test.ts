/**
 * Queries of the Worker whose state is more than their memory: it goes to the storage of their
 * objects, and results are what they are where there is room, however often an object ends.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { bundleWorker, type WorkerBundle } from "../../deploy/cloudflare/bundle.ts";
import {
  type LibsqlHttpServer,
  startLibsqlHttpServer,
} from "../../deploy/cloudflare/libsql-http-server.ts";
import { queryList } from "../../src/wire/http/sql-shapes.ts";
import { type EdgeVariables, edgeOptions, edgeToken } from "../support/edge-worker.ts";
import { type Isolate, startIsolate } from "../support/isolate.ts";
import { eventually, temporaryFolder } from "../support/processes.ts";

const entry = join(import.meta.dir, "workerd/faulty-worker.ts");
const rowsPerAppend = 5_000;
/** Rows of 300 000 groups are many, and other tests may be at work. */
const settledMs = 240_000;

interface Row {
  readonly k: number;
  readonly v: number;
  readonly second: number;
}

const stream = `SET 'execution.checkpointing.interval' = '100 ms';
CREATE STREAM events (k BIGINT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
  WITH ('partitions' = '1');`;

const groups = "SELECT k, COUNT(*) AS n, SUM(v) AS total FROM events GROUP BY k";

class Place {
  readonly worker: Isolate;
  readonly metadata: LibsqlHttpServer;
  #sequence = 0;

  static async start(bundle: WorkerBundle, variables: EdgeVariables = {}): Promise<Place> {
    const metadata = startLibsqlHttpServer();
    const options = edgeOptions({
      ...{ MILLRACE_METADATA: metadata.url, MILLRACE_TOKEN: edgeToken },
      ...{ MILLRACE_QUERIES: "on", MILLRACE_FLUSH_RATE_MAX: "0", ...variables },
    });
    const worker = await startIsolate(bundle, {
      ...options,
      durableObjects: {
        ...options["durableObjects"],
        TWINS: { className: "TwinObject", useSQLite: true },
      },
      defaultPersistRoot: temporaryFolder("edge-scratch"),
    });
    return new Place(worker, metadata);
  }

  private constructor(worker: Isolate, metadata: LibsqlHttpServer) {
    this.worker = worker;
    this.metadata = metadata;
  }

  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { Authorization: `Bearer ${edgeToken}`, ...(init.headers as object) };
    return await fetch(`${this.worker.url}${path}`, { ...init, headers });
  }

  async sql(sql: string): Promise<void> {
    const headers = { "Content-Type": "application/json" };
    const answer = await this.ask("/v1/sql", {
      ...{ method: "POST", headers, body: JSON.stringify({ sql }) },
    });
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** As a producer that sends again until somebody has answered. */
  async append(rows: readonly Row[]): Promise<void> {
    for (let first = 0; first < rows.length; first += rowsPerAppend) {
      const some = rows.slice(first, first + rowsPerAppend);
      const headers = {
        ...{ "Content-Type": "application/x-ndjson", "Producer-Id": "test" },
        ...{ "Producer-Epoch": "0", "Producer-Seq": String(this.#sequence) },
      };
      this.#sequence += 1;
      const body = some.map(textOf).join("\n");
      await eventually(async () => {
        const init = { method: "POST", headers, body };
        const answer = await this.ask("/v1/topics/events/records", init).catch(() => undefined);
        if (answer?.status === 400 || answer?.status === 409) throw new Error(await answer.text());
        return answer?.ok === true ? answer : undefined;
      });
    }
  }

  async queries() {
    const answer = await this.ask("/v1/queries").catch(() => undefined);
    if (answer?.ok !== true) return [];
    return queryList.parse(await answer.json()).queries;
  }

  /** Until the query has committed so many rows of the stream. */
  async committed(target: string, rows: number): Promise<string> {
    return await eventually(async () => {
      const found = (await this.queries()).find((each) => each.target === target);
      if (found?.state === "failed") throw new Error(`${target} failed: ${found.failure}`);
      const position = found?.partitions[0]?.position ?? 0;
      return position >= rows ? found?.queryId : undefined;
    }, settledMs);
  }

  /** All records of a topic, in order. */
  async records(topic: string): Promise<{ key: string | null; value: string | null }[]> {
    const records: { key: string | null; value: string | null }[] = [];
    for (;;) {
      const path = `/v1/topics/${topic}/partitions/0/records?offset=${records.length}`;
      const page = (await (await this.ask(path)).json()) as { records: typeof records };
      if (page.records.length === 0) return records;
      records.push(...page.records);
    }
  }

  async recordCount(topic: string): Promise<number> {
    const answer = await this.ask(`/v1/topics/${topic}`).catch(() => undefined);
    if (answer?.ok !== true) return 0;
    const body = (await answer.json()) as { partitionStatus: { highOffset: number }[] };
    return body.partitionStatus[0]?.highOffset ?? 0;
  }

  /** What an updating result stands at. */
  async state(topic: string): Promise<Map<string, string>> {
    const state = new Map<string, string>();
    for (const { key, value } of await this.records(topic)) {
      if (value === null) state.delete(key ?? "");
      else state.set(key ?? "", value);
    }
    return state;
  }

  async scratchRows(queryId: string): Promise<number> {
    const answer = await fetch(`${this.worker.url}/test/scratch?query=${queryId}`);
    return Number(await answer.text());
  }

  async evict(queryId: string): Promise<void> {
    await fetch(`${this.worker.url}/test/abort?query=${queryId}`, { method: "POST" });
  }

  async stop(): Promise<void> {
    await this.worker.stop();
    await this.metadata.close();
  }
}

function textOf({ k, v, second }: Row): string {
  const ts = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString().replace(/[TZ]/g, " ");
  return `{"k":${k},"v":${v},"ts":"${ts.trim()}"}`;
}

/** Numbers below `count`, far from their order. */
function spread(count: number): number[] {
  const step = 7_919;
  return Array.from({ length: count }, (_, index) => (index * step) % count);
}

let bundle: WorkerBundle;
beforeAll(async () => {
  bundle = await bundleWorker({ entry, minify: true });
}, 120_000);

describe("a query with more groups than its memory holds", () => {
  const keys = 300_000;
  let place: Place;
  beforeAll(async () => {
    place = await Place.start(bundle);
  }, 60_000);
  afterAll(async () => await place?.stop());

  test("goes on, and its scratch space goes with it", async () => {
    await place.sql(`${stream}\nCREATE MATERIALIZED VIEW held AS ${groups}`);
    await place.append(spread(keys).map((k) => ({ k, v: k % 97, second: 1 })));
    const again = spread(keys).filter((k) => k % 30 === 7);
    await place.append(again.map((k) => ({ k, v: 1, second: 2 })));
    const queryId = await place.committed("held", keys + again.length);
    expect(await place.scratchRows(queryId)).toBeGreaterThan(50);
    const state = await place.state("held");
    expect(state.size).toBe(keys);
    const wrong = [...state].filter(([, value]) => {
      const { k } = JSON.parse(value) as { k: number };
      const more = k % 30 === 7 ? 1 : 0;
      return value !== `{"k":${k},"n":${1 + more},"total":${(k % 97) + more}}`;
    });
    expect(wrong).toEqual([]);
    await place.sql("DROP MATERIALIZED VIEW held");
    const isGone = async () => ((await place.scratchRows(queryId)) === 0 ? true : undefined);
    await eventually(isGone, settledMs);
  }, 600_000);
});

describe("a query of which more windows close at once than memory has room for", () => {
  // Their results are 13 MB, and memory has room for 2.
  const keys = 150_000;
  let place: Place;
  beforeAll(async () => {
    place = await Place.start(bundle);
  }, 60_000);
  afterAll(async () => await place?.stop());

  test("gives each once, in order, though its object ends again and again meanwhile", async () => {
    const select = `SELECT k, COUNT(*) AS n, SUM(v) AS total, window_start
      FROM TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND)
      GROUP BY k, window_start, window_end`;
    await place.sql(`${stream}\nCREATE MATERIALIZED VIEW closed AS ${select}`);
    const order = spread(keys);
    await place.append(order.map((k) => ({ k, v: k % 97, second: 1 })));
    const queryId = await place.committed("closed", keys);
    await place.append([{ k: -1, v: 0, second: 60 }]);
    for (const afterMs of [200, 700]) {
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await place.evict(queryId);
    }
    const partial: number[] = [];
    for (const end of [place.evict.bind(place), () => place.worker.restart()]) {
      const least = partial.at(-1) ?? 0;
      // They come a few megabytes at a time, and soon.
      let some = least;
      while (some === least) some = await place.recordCount("closed");
      partial.push(some);
      await end(queryId);
    }
    expect(partial[0]).toBeLessThan(keys);
    await place.committed("closed", keys + 1);
    const areThere = async () => (await place.recordCount("closed")) === keys || undefined;
    await eventually(areThere, settledMs);
    const closed = await place.records("closed");
    expect(closed.length).toBe(keys);
    const wrong = closed.filter(({ value }, index) => {
      const k = order[index] as number;
      return (
        value !== `{"k":${k},"n":1,"total":${k % 97},"window_start":"2026-01-01 00:00:00.000"}`
      );
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  }, 600_000);
});

describe("a query that meets more new groups in one publish than memory has room for", () => {
  const keys = 150_000;
  let place: Place;
  beforeAll(async () => {
    place = await Place.start(bundle);
  }, 60_000);
  afterAll(async () => await place?.stop());

  test("counts each once, though its object ends meanwhile", async () => {
    await place.sql(`SET 'execution.checkpointing.interval' = '100 ms';
      CREATE STREAM events (k BIGINT) WITH ('partitions' = '1');
      CREATE MATERIALIZED VIEW held AS SELECT k, COUNT(*) AS n FROM events GROUP BY k`);
    const order = spread(keys);
    const body = order.map((k) => `{"k":${k}}`).join("\n");
    const headers = { "Content-Type": "application/x-ndjson" };
    const path = "/v1/topics/events/records";
    const answer = await place.ask(path, { method: "POST", headers, body });
    expect(answer.ok).toBe(true);
    const [{ queryId = "" } = {}] = await place.queries();
    for (const afterMs of [100, 600]) {
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await place.evict(queryId);
    }
    await place.committed("held", keys);
    const areThere = async () => (await place.recordCount("held")) === keys || undefined;
    await eventually(areThere, settledMs);
    const shown = (await place.records("held")).map(({ value }) => value);
    const wrong = shown.filter((value, index) => value !== `{"k":${order[index]},"n":1}`);
    expect(wrong.slice(0, 3)).toEqual([]);
  }, 600_000);
});

describe("queries that keep next to nothing in memory", () => {
  const keys = 20_000;
  const within = (window: string) => `FROM ${window}(TABLE events`;
  const ends = "GROUP BY k, window_start, window_end";
  const views = {
    held: groups,
    tumbled: `SELECT k, COUNT(*) AS n, window_start
      ${within("TUMBLE")}, DESCRIPTOR(ts), INTERVAL '10' SECOND) ${ends}`,
    hopped: `SELECT k, COUNT(*) AS n, window_start
      ${within("HOP")}, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND) ${ends}`,
    sessions: `SELECT k, COUNT(*) AS n, window_start, window_end
      ${within("SESSION")} PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' SECOND) ${ends}`,
    values_seen: "SELECT v, COUNT(DISTINCT k) AS n FROM events WHERE k >= 0 GROUP BY v",
  };
  let place: Place;
  beforeAll(async () => {
    place = await Place.start(bundle, { MILLRACE_STATE_BYTES: "128KiB" });
  }, 60_000);
  afterAll(async () => await place?.stop());

  test("count each row once, though their objects end in the middle", async () => {
    const made = Object.entries(views).map(
      ([name, select]) => `CREATE MATERIALIZED VIEW ${name} AS ${select};`,
    );
    await place.sql([stream, ...made].join("\n"));
    const once = spread(keys).map((k) => ({ k, v: k % 4, second: 1 }));
    const twice = spread(keys).map((k) => ({ k, v: k % 4, second: 2 }));
    const last = { k: -1, v: 0, second: 60 };
    const all = [...once, ...twice];
    const partRows = all.length / 4;
    for (let round = 0; round < 4; round++) {
      await place.append(all.slice(round * partRows, (round + 1) * partRows));
      // Some have committed a part of it, some nothing.
      if (round % 2 === 1) await place.worker.restart();
      else for (const { queryId } of await place.queries()) await place.evict(queryId);
    }
    await place.append([last]);
    const names = Object.keys(views);
    const queryIds = await Promise.all(names.map((name) => place.committed(name, all.length + 1)));
    const counts = await Promise.all(queryIds.map((queryId) => place.scratchRows(queryId)));
    expect(Math.max(...counts)).toBeGreaterThan(4);
    const held = await place.state("held");
    expect(held.size).toBe(keys + 1);
    const wrong = [...held.values()].filter((value) => {
      const { k } = JSON.parse(value) as { k: number };
      return k >= 0 && value !== `{"k":${k},"n":2,"total":${2 * (k % 4)}}`;
    });
    expect(wrong).toEqual([]);
    for (const [name, windows] of [
      ["tumbled", 1],
      ["hopped", 2],
      ["sessions", 1],
    ] as const) {
      const closed = (await place.records(name)).map(({ value }) => value ?? "");
      expect(new Set(closed).size, name).toBe(windows * keys);
      expect(closed.length, name).toBe(windows * keys);
      expect(closed.filter((value) => !value.includes('"n":2,'))).toEqual([]);
    }
    const seen = [...(await place.state("values_seen")).values()].sort();
    expect(seen).toEqual([0, 1, 2, 3].map((v) => `{"v":${v},"n":${keys / 4}}`));
  }, 600_000);
});
