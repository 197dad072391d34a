/**
 * `GET /v1/topics/{topic}/records`: records of all partitions in one answer, for clients that poll.
 * Where it ends is a cursor, the same that event streams and WebSockets give.
 */
import { type Context, Hono } from "hono";
import { arrowStreamMediaType, jsonMediaType, preferredType } from "../../wire/http/media-type.ts";
import { recordsQuery } from "../../wire/http/queries.ts";
import { checkQuery } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { notAcceptable } from "./problem-response.ts";
import { arrowDocument, arrowRow } from "./record-arrow.ts";
import { recordJson } from "./record-json.ts";
import { findPlace } from "./stream-place.ts";
import { TopicStream } from "./topic-stream.ts";

const offered = [jsonMediaType, arrowStreamMediaType] as const;

export function recordsApp(context: HttpContext, endpoints: Endpoints): Hono {
  const app = new Hono();
  endpoints.mount(app, "readAll", (c) => readAll(c, context));
  return app;
}

async function readAll(c: Context, context: HttpContext): Promise<Response> {
  const { raw: request } = c.req;
  const query = checkQuery(recordsQuery, request.url);
  const { values, maxBytes, maxRecords, waitMs } = query;
  const type = preferredType(request.headers.get("Accept"), offered);
  if (type === undefined) return notAcceptable(offered);
  const isJson = type === jsonMediaType;
  const gaps = new Set<string>();
  const stream = new TopicStream(context, {
    ...(await findPlace(context, c.req.param("topic") ?? "", query)),
    recordText: (record, partition) =>
      isJson
        ? recordJson(record, { values, isOneLine: false, partition })
        : arrowRow(record, partition),
    frame({ kind, data }) {
      if (kind === "gap") gaps.add(data);
      return data;
    },
    signal: AbortSignal.any([request.signal, context.shutdown]),
  });
  const limits = { waitMs, bytesMax: maxBytes, countMax: maxRecords };
  const { texts, cursor } = await stream.poll(limits);
  const records = gaps.size === 0 ? texts : texts.filter((text) => !gaps.has(text));
  const body = isJson
    ? `{"records":[${records.join(",")}],"gaps":[${[...gaps].join(",")}],"cursor":"${cursor}"}\n`
    : arrowDocument(records);
  return new Response(body, {
    headers: {
      "Content-Type": type,
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
      "Millrace-Cursor": cursor,
      Vary: "Accept",
    },
  });
}
