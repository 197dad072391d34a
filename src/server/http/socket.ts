/** `GET /v1/topics/{topic}/ws`: a WebSocket over all partitions of a topic. */
import { type Context, Hono } from "hono";
import { StreamError } from "../../base/stream-error.ts";
import { streamQuery } from "../../wire/http/queries.ts";
import { checkQuery } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { PieceTurns } from "./piece-turns.ts";
import { problemResponse } from "./problem-response.ts";
import { recordJson } from "./record-json.ts";
import { findPlace } from "./stream-place.ts";
import { socketFrame, TopicSocket } from "./topic-socket.ts";
import { type RecordText, TopicStream } from "./topic-stream.ts";

/** Sockets open at a time: each holds a fetch of 64 KiB and its text. */
const socketsMax = 10_000;
/** What browsers offer beside a token, since a server must choose one of those they offer. */
const protocolName = "millrace";

export function socketApp(context: HttpContext, endpoints: Endpoints): Hono {
  const app = new Hono();
  const open = context.metrics.gauge({
    name: "millrace_http_sockets",
    help: "WebSockets that are open.",
  });
  const turns = new PieceTurns(context.platform.timers);
  endpoints.mount(app, "socket", async (c) => {
    const { raw: request } = c.req;
    const { upgradeSocket, platform, shutdown } = context;
    const query = checkQuery(streamQuery, request.url);
    const isAsked = request.headers.get("Upgrade")?.toLowerCase() === "websocket";
    if (!isAsked || upgradeSocket === undefined) return upgradeRequired();
    if (open.value >= socketsMax) {
      throw new StreamError("queue_full", `Cannot open a WebSocket: ${socketsMax} are open`);
    }
    const place = await findPlace(context, c.req.param("topic") ?? "", query);
    const { values } = query;
    const recordText: RecordText = (record, partition) =>
      recordJson(record, { values, isOneLine: false, partition });
    const handler = new TopicSocket({
      ...{ platform, turns, shutdown },
      events: (signal) =>
        new TopicStream(context, { ...place, recordText, frame: socketFrame, signal }),
      finish: () => open.set(open.value - 1),
    });
    open.set(open.value + 1);
    try {
      return upgradeSocket(request, { handler, protocol: protocolOf(c) });
    } catch (error) {
      open.set(open.value - 1);
      throw error;
    }
  });
  return app;
}

/** Ours, or none where the client offers none. */
export function protocolOf(c: Context): string | undefined {
  const offered = c.req.raw.headers.get("Sec-WebSocket-Protocol");
  if (offered === null) return undefined;
  if (offered.split(/ *, */).includes(protocolName)) return protocolName;
  throw new StreamError(
    "invalid_request",
    `Cannot open a WebSocket of protocol ${offered.slice(0, 100)}: offer ${protocolName}, or none`,
    { details: { field: "Sec-WebSocket-Protocol", expected: protocolName } },
  );
}

export function upgradeRequired(): Response {
  return problemResponse({
    status: 426,
    code: "upgrade_required",
    detail: "Cannot answer: this is the address of a WebSocket; ask with Upgrade: websocket",
    facts: { field: "Upgrade", expected: "websocket" },
    headers: { Upgrade: "websocket", Connection: "Upgrade" },
  });
}
