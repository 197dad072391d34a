/** `GET /v1/topics/{topic}/ws`: a WebSocket over all partitions of a topic. */
import { type Context, Hono } from "hono";
import * as z from "zod";
import type { SocketHandler } from "../../base/message-socket.ts";
import { StreamError } from "../../base/stream-error.ts";
import { streamQuery } from "../../wire/http/queries.ts";
import { checkQuery } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { eventFrame, eventStreamHeaders } from "./event-frame.ts";
import { PieceTurns } from "./piece-turns.ts";
import { problemResponse } from "./problem-response.ts";
import { recordJson } from "./record-json.ts";
import { findPlace, type Place } from "./stream-place.ts";
import { socketFrame, TopicSocket } from "./topic-socket.ts";
import { type RecordText, TopicStream } from "./topic-stream.ts";

/** Sockets open at a time: each holds a fetch of 64 KiB and its text. */
const socketsMax = 10_000;
/** What browsers offer beside a token, since a server must choose one of those they offer. */
const protocolName = "millrace";

/** What a socket that rests goes on from. */
const restingState = z.object({
  topic: z.string(),
  values: streamQuery.shape.values,
  cursor: z.string(),
  credit: z.int(),
  /** What it carries. */
  frames: z.enum(["messages", "events"]).default("messages"),
});
type RestingState = z.infer<typeof restingState>;
type What = Pick<RestingState, "topic" | "values" | "frames">;

export interface TopicSockets {
  readonly app: Hono;
  /** Answers with a socket that carries an event stream, and with the stream's headers. */
  carry(
    request: Request,
    stream: Pick<RestingState, "topic" | "values"> & { readonly place: Place },
  ): Response;
  /** The handler of a socket that rested with this state. @throws StreamError as `findPlace`. */
  resume(state: string): Promise<SocketHandler>;
}

export function topicSockets(context: HttpContext, endpoints: Endpoints): TopicSockets {
  const app = new Hono();
  const open = context.metrics.gauge({
    name: "millrace_http_sockets",
    help: "WebSockets that are open and do not rest.",
  });
  const turns = new PieceTurns(context.platform.timers);
  const { platform, shutdown } = context;
  const handlerOf = (place: Place, what: What, credit?: number): SocketHandler => {
    const isOneLine = what.frames === "events";
    const frame = isOneLine ? eventFrame : socketFrame;
    const recordText: RecordText = (record, partition) =>
      recordJson(record, { values: what.values, isOneLine, partition });
    const isOpened = credit !== undefined;
    open.set(open.value + 1);
    return new TopicSocket({
      ...{ platform, turns, shutdown },
      ...(isOpened && { credit }),
      events: (signal) =>
        new TopicStream(context, { ...place, recordText, frame, signal, isOpened }),
      stateOf: (state) => JSON.stringify({ ...what, ...state } satisfies RestingState),
      finish: () => open.set(open.value - 1),
    });
  };
  const upgrade = (
    request: Request,
    { place, what, protocol }: { place: Place; what: What; protocol: string | undefined },
  ): Response => {
    if (open.value >= socketsMax) {
      throw new StreamError("queue_full", `Cannot open a WebSocket: ${socketsMax} are open`);
    }
    if (context.upgradeSocket === undefined) return upgradeRequired();
    const handler = handlerOf(place, what);
    try {
      return context.upgradeSocket(request, { handler, protocol, mayRest: true });
    } catch (error) {
      open.set(open.value - 1);
      throw error;
    }
  };
  endpoints.mount(app, "socket", async (c) => {
    const { raw: request } = c.req;
    const query = checkQuery(streamQuery, request.url);
    const isAsked = request.headers.get("Upgrade")?.toLowerCase() === "websocket";
    if (!isAsked || context.upgradeSocket === undefined) return upgradeRequired();
    const topic = c.req.param("topic") ?? "";
    const place = await findPlace(context, topic, query);
    const what: What = { topic, values: query.values, frames: "messages" };
    return upgrade(request, { place, what, protocol: protocolOf(c) });
  });
  return {
    app,
    carry(request, { place, ...what }) {
      const frames = "events";
      const response = upgrade(request, { place, what: { ...what, frames }, protocol: undefined });
      for (const [name, value] of Object.entries(eventStreamHeaders)) {
        response.headers.set(name, value);
      }
      return response;
    },
    async resume(text) {
      const { cursor, credit, ...what } = restingState.parse(JSON.parse(text));
      const place = await findPlace(context, what.topic, { cursor, offset: "" });
      return handlerOf(place, what, credit);
    },
  };
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
