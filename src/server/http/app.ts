/**
 * The HTTP surface as one fetch handler: `createHttpApp(context).fetch`. Web APIs only, so that
 * Bun, Deno and workerd serve the same app.
 */
import { type Context, Hono } from "hono";
import { methodsByPath } from "../../wire/http/methods-by-path.ts";
import type { HttpContext } from "./context.ts";
import { Endpoints } from "./endpoint.ts";
import { groupsApp } from "./groups.ts";
import { HandedAppends } from "./handed-appends.ts";
import { kafkaTunnelApp } from "./kafka-tunnel.ts";
import { operationsApp } from "./operations.ts";
import { problemResponse } from "./problem-response.ts";
import { Producer, produceApp } from "./produce.ts";
import { queriesApp } from "./queries.ts";
import { readApp } from "./read.ts";
import { recordsApp } from "./records.ts";
import { type TopicSockets, topicSockets } from "./socket.ts";
import { sqlApp } from "./sql.ts";
import { streamApp } from "./stream.ts";
import { tokensApp } from "./tokens.ts";
import { topicsApp } from "./topics.ts";

export interface HttpSurface {
  readonly app: Hono;
  /** For routes that only some roots have. */
  readonly endpoints: Endpoints;
  /** Takes appends that are no requests, with the same state as the app's. */
  readonly appends: HandedAppends;
  /** Makes handlers of WebSockets anew that outlived theirs. */
  readonly sockets: Pick<TopicSockets, "resume">;
}

export function createHttpApp(context: HttpContext): Hono {
  return createHttpSurface(context).app;
}

export function createHttpSurface(context: HttpContext): HttpSurface {
  const endpoints = new Endpoints(context);
  const producer = new Producer(context);
  const app = new Hono();
  app.route("/", produceApp(producer, endpoints));
  app.route("/", readApp(context, endpoints));
  app.route("/", recordsApp(context, endpoints));
  const sockets = topicSockets(context, endpoints);
  app.route("/", streamApp(context, endpoints, sockets));
  app.route("/", sockets.app);
  app.route("/", kafkaTunnelApp(context, endpoints));
  app.route("/", topicsApp(context, endpoints));
  app.route("/", groupsApp(context, endpoints));
  app.route("/", tokensApp(context, endpoints));
  const sql = sqlApp(context, endpoints);
  app.route("/", sql.app);
  app.route("/", queriesApp(context, endpoints));
  app.route("/", operationsApp(context, endpoints));
  for (const [path, methods] of methodsByPath()) {
    const preflight = (c: Context) => endpoints.preflight(c, path, methods);
    app.options(path, endpoints.wrap("preflight", preflight, "preflight"));
    const refuse = (c: Context) => methodNotAllowed(c.req.method, methods);
    app.all(path, endpoints.wrap("other", refuse, "guarded"));
  }
  app.notFound(endpoints.wrap("other", (c) => routeUnknown(c.req.path), "guarded"));
  const appends = new HandedAppends(producer, endpoints, context.platform.log);
  const resume = async (state: string) => sql.resume(state) ?? (await sockets.resume(state));
  return { app, endpoints, appends, sockets: { resume } };
}

function methodNotAllowed(method: string, methods: readonly string[]): Response {
  const allow = [...methods, "OPTIONS"].join(", ");
  return problemResponse({
    status: 405,
    code: "method_not_allowed",
    detail: `Cannot ${method} here: this path takes ${allow}`,
    facts: { field: "method", expected: allow },
    headers: { Allow: allow },
  });
}

function routeUnknown(path: string): Response {
  return problemResponse({
    status: 404,
    code: "route_unknown",
    detail: `There is nothing at ${path.slice(0, 200)}: /openapi.json lists all paths`,
  });
}
