/**
 * `/v1/queries`: continuous queries and how they go. What only the worker that runs a query knows
 * is asked of that worker; all else, pausing and dropping included, any worker answers.
 */
import { type Context, Hono } from "hono";
import { isStreamError } from "../../base/stream-error.ts";
import type { QueryReport } from "../../pipeline/query-report.ts";
import { emptyQuery } from "../../wire/http/queries.ts";
import { type QueryDetails, queryList } from "../../wire/http/sql-shapes.ts";
import { checkQuery } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { jsonAnswer } from "./json-answer.ts";
import { Peers } from "./peers.ts";

export function queriesApp(context: HttpContext, endpoints: Endpoints): Hono {
  const app = new Hono();
  const peers = new Peers(context);
  const { queries } = context;
  const idOf = (c: Context) => {
    checkQuery(emptyQuery, c.req.url);
    return c.req.param("query") ?? "";
  };
  endpoints.mount(app, "listQueries", async (c) => {
    checkQuery(emptyQuery, c.req.url);
    return jsonAnswer(c, { queries: await list(c.req.raw, context, peers) });
  });
  endpoints.mount(app, "describeQuery", async (c) => {
    const report = await queries.find(idOf(c));
    const there = peers
      .othersThan(c.req.raw)
      .find(({ nodeId }) => !report.isHere && nodeId === report.worker?.nodeId);
    if (there === undefined) return jsonAnswer(c, details(report));
    try {
      return await peers.send(c.req.raw, there);
    } catch (error) {
      // Its worker has just gone: what the metadata knows is told until another takes it.
      if (!isStreamError(error, "coordinator_unavailable")) throw error;
      return jsonAnswer(c, details(report));
    }
  });
  endpoints.mount(app, "dropQuery", async (c) => {
    await queries.drop(idOf(c));
    return c.body(null, 204);
  });
  endpoints.mount(app, "pauseQuery", (c) => setDesired(c, idOf(c), "paused"));
  endpoints.mount(app, "resumeQuery", (c) => setDesired(c, idOf(c), "running"));
  return app;

  async function setDesired(c: Context, queryId: string, desired: "running" | "paused") {
    await queries.setDesired(queryId, desired);
    return jsonAnswer(c, details(await queries.find(queryId)));
  }
}

/** All queries; of those that run elsewhere what their workers say, if they answer. */
async function list(
  request: Request,
  { queries, platform }: HttpContext,
  peers: Peers,
): Promise<QueryDetails[]> {
  const reports = await queries.list();
  const nodeIds = new Set(
    reports.flatMap(({ isHere, worker }) => (isHere || worker === null ? [] : worker.nodeId)),
  );
  const asked = peers.othersThan(request).filter(({ nodeId }) => nodeIds.has(nodeId));
  const there = new Map<string, QueryDetails>();
  await Promise.all(
    asked.map(async (node) => {
      try {
        const response = await peers.send(request, node);
        for (const query of queryList.parse(await response.json()).queries) {
          if (query.live !== null) there.set(query.queryId, query);
        }
      } catch (error) {
        platform.log.debug("a peer does not tell of its queries", { node: node.nodeId, error });
      }
    }),
  );
  return reports.map((report) => there.get(report.queryId) ?? details(report));
}

function details({ isHere: _, partitions, live, ...report }: QueryReport): QueryDetails {
  return {
    ...report,
    lag: partitions.reduce((sum, { lag }) => sum + lag, 0),
    partitions: [...partitions],
    live: live === null ? null : { ...live, inputs: [...live.inputs] },
  };
}
