/** What operators and their tools ask: health, metrics, the cluster, the description. */
import { Hono } from "hono";
import { jsonMediaType } from "../../wire/http/media-type.ts";
import { openApiDocument } from "../../wire/http/openapi.ts";
import { emptyQuery } from "../../wire/http/queries.ts";
import type { ClusterAnswer } from "../../wire/http/shapes.ts";
import { checkQuery } from "./check-shape.ts";
import { ClientScript } from "./client-script.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { jsonAnswer } from "./json-answer.ts";

const metricsMediaType = "text/plain; version=0.0.4; charset=utf-8";

export function operationsApp(context: HttpContext, endpoints: Endpoints): Hono {
  const app = new Hono();
  let document: string | undefined;
  endpoints.mount(app, "cluster", (c) => {
    checkQuery(emptyQuery, c.req.url);
    const { clusterId, selfNodeId, nodes } = context.log.cluster();
    const answer: ClusterAnswer = { clusterId, selfNodeId, nodes: [...nodes] };
    return jsonAnswer(c, answer);
  });
  endpoints.mount(app, "metrics", () => text(context.metrics.print(), metricsMediaType));
  endpoints.mount(app, "healthz", (c) => jsonAnswer(c, { status: "ok" }));
  endpoints.mount(app, "readyz", (c) => {
    const status = context.status();
    return jsonAnswer(c, { status }, status === "ok" ? 200 : 503);
  });
  endpoints.mount(app, "openapi", () => {
    document ??= openApiDocument(context.settings.version);
    return text(document, jsonMediaType);
  });
  const script = new ClientScript(context.clientScript);
  endpoints.mount(app, "clientScript", (c) => script.answer(c.req.raw));
  return app;
}

function text(body: string, contentType: string): Response {
  return new Response(body, {
    headers: { "Content-Type": contentType, "Cache-Control": "no-store" },
  });
}
