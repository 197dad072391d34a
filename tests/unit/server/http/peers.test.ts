import { expect, test } from "bun:test";
import { GroupCoordinator } from "../../../../src/group/coordinator.ts";
import { querySettingsDefault } from "../../../../src/pipeline/query-definition.ts";
import type { QueryReport } from "../../../../src/pipeline/query-report.ts";
import { createHttpApp } from "../../../../src/server/http/app.ts";
import type { HttpContext } from "../../../../src/server/http/context.ts";
import { queryDetails, queryList } from "../../../../src/wire/http/sql-shapes.ts";
import { createHttpFixture } from "../../../support/http-fixture.ts";
import { MemoryGroups } from "../../../support/memory-group-store.ts";

const node = (nodeId: number) => ({
  nodeId,
  kafkaHost: "localhost",
  kafkaPort: 9092,
  httpUrl: `http://worker-${nodeId}.localhost`,
});

/** Two workers on one log and one group metadata, each reaching the other by its URL. */
async function twoWorkers(
  options: { readonly isReachable?: boolean; readonly runsQuery?: number } = {},
) {
  const { isReachable = true } = options;
  const { context, log } = createHttpFixture({ log: { nodes: [node(1), node(2)] } });
  const metadata = new MemoryGroups({ platform: context.platform });
  const apps = new Map<string, ReturnType<typeof createHttpApp>>();
  for (const nodeId of [1, 2]) {
    const own: HttpContext = {
      ...context,
      log: Object.assign(Object.create(log), {
        cluster: () => ({ clusterId: "c", selfNodeId: nodeId, nodes: [node(1), node(2)] }),
        status: log.status.bind(log),
      }),
      queries: { ...context.queries, ...queriesOf(nodeId, options.runsQuery) },
      groups: new GroupCoordinator({ platform: context.platform, ...metadata.worker(nodeId) }),
      fetch: async (url, init) => {
        const app = apps.get(new URL(url).hostname);
        if (app === undefined || !isReachable) throw new TypeError("connection refused");
        return app.fetch(new Request(url, init));
      },
    };
    apps.set(`worker-${nodeId}.localhost`, createHttpApp(own));
  }
  await log.create({ name: "t", partitionCount: 1, replicationFactor: 1, config: {} });
  return async (nodeId: number, path: string, init: RequestInit = {}) => {
    const url = `${node(nodeId).httpUrl}${path}`;
    const response = await apps.get(new URL(url).hostname)?.fetch(new Request(url, init));
    if (response === undefined) throw new Error(`no worker ${nodeId}`);
    return response;
  };
}

/** One query, as the worker `nodeId` sees it. */
function queriesOf(nodeId: number, runsQuery = 1): Pick<HttpContext["queries"], "list" | "find"> {
  const isHere = nodeId === runsQuery;
  const live = {
    ...{ rowsIn: 7, rowsOut: 0, rowsLate: 0, rowsWrong: 0, rowsAhead: 0, watermark: null },
    ...{ inputs: [], lastCommit: null, restarts: 0, lastFailure: null },
  };
  const report: QueryReport = {
    ...{ queryId: "q", target: "v", statement: "", state: "running", failure: null, createdAt: 0 },
    ...{ isHere, partitions: [], checkpointBytes: 0, settings: querySettingsDefault, plan: "" },
    worker: { nodeId: runsQuery, httpUrl: node(runsQuery).httpUrl },
    live: isHere ? live : null,
  };
  return { list: async () => [report], find: async () => report };
}

const put = {
  method: "PUT",
  body: '{"offsets":[{"topic":"t","partition":0,"offset":0}]}',
  headers: { "Content-Type": "application/json" },
};

test("a worker passes requests about a group on to its coordinator and lists all groups", async () => {
  const ask = await twoWorkers();
  for (const nodeId of [2, 1]) {
    expect((await ask(nodeId, `/v1/groups/by-${nodeId}/offsets`, put)).status).toBe(200);
  }
  for (const nodeId of [1, 2]) {
    const { groups } = (await (await ask(nodeId, "/v1/groups")).json()) as { groups: object[] };
    expect(groups).toMatchObject([{ groupId: "by-1" }, { groupId: "by-2" }]);
    const described = await ask(nodeId, "/v1/groups/by-2");
    expect(await described.json()).toMatchObject({ offsets: [{ topic: "t", lag: 0 }] });
  }
  expect((await ask(2, "/v1/groups/by-1", { method: "DELETE" })).status).toBe(204);
  expect((await ask(2, "/v1/groups/by-1")).status).toBe(404);
});

test("a request that was passed on already is answered or refused, never passed on again", async () => {
  const ask = await twoWorkers();
  const passed = { ...put, headers: { ...put.headers, "Millrace-Hop": "1" } };
  const response = await ask(2, "/v1/groups/g/offsets", passed);
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ code: "coordinator_elsewhere", retriable: true });
});

test("a coordinator that cannot be reached gives 503 and Retry-After", async () => {
  const ask = await twoWorkers({ isReachable: false });
  for (const path of ["/v1/groups/g", "/v1/groups"]) {
    const response = await ask(2, path);
    expect(response.status).toBe(503);
    expect(response.headers.get("Retry-After")).toBe("1");
    expect(await response.json()).toMatchObject({ code: "coordinator_unavailable" });
  }
});

test("a worker asks the one that runs a query how it goes, and tells what it knows itself if that one is gone", async () => {
  const rowsSeen = async (ask: Awaited<ReturnType<typeof twoWorkers>>, nodeId: number) => {
    const query = queryDetails.parse(await (await ask(nodeId, "/v1/queries/q")).json());
    const { queries } = queryList.parse(await (await ask(nodeId, "/v1/queries")).json());
    expect(query.worker).toEqual({ nodeId: 2, httpUrl: node(2).httpUrl });
    return [query, ...queries].map(({ live }) => live?.rowsIn);
  };
  const ask = await twoWorkers({ runsQuery: 2 });
  expect(await rowsSeen(ask, 2)).toEqual([7, 7]);
  expect(await rowsSeen(ask, 1)).toEqual([7, 7]);
  const alone = await twoWorkers({ runsQuery: 2, isReachable: false });
  expect(await rowsSeen(alone, 1)).toEqual([undefined, undefined]);
});
