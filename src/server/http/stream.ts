/** `GET /v1/topics/{topic}/stream`: opens a topic-stream where the client wants it. */
import { type Context, Hono } from "hono";
import type { Gauge } from "../../base/metrics.ts";
import { StreamError } from "../../base/stream-error.ts";
import { eventStreamMediaType, preferredType } from "../../wire/http/media-type.ts";
import { streamQuery } from "../../wire/http/queries.ts";
import { checkQuery } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { eventFrame, eventStreamHeaders } from "./event-frame.ts";
import { PieceTurns } from "./piece-turns.ts";
import { notAcceptable } from "./problem-response.ts";
import { recordJson } from "./record-json.ts";
import type { TopicSockets } from "./socket.ts";
import { findPlace } from "./stream-place.ts";
import { TopicStream } from "./topic-stream.ts";

/** Streams open at a time: each holds a fetch of 64 KiB and its text. */
const streamsMax = 10_000;

const utf8 = new TextEncoder();

export function streamApp(
  context: HttpContext,
  endpoints: Endpoints,
  sockets: Pick<TopicSockets, "carry">,
): Hono {
  const app = new Hono();
  const open = context.metrics.gauge({
    name: "millrace_http_streams",
    help: "Event streams that are open.",
  });
  const turns = new PieceTurns(context.platform.timers);
  endpoints.mount(app, "stream", (c) => stream(c, context, { open, turns, sockets }));
  return app;
}

/** What all streams share. */
interface Shared {
  readonly open: Gauge;
  readonly turns: PieceTurns;
  readonly sockets: Pick<TopicSockets, "carry">;
}

async function stream(c: Context, context: HttpContext, shared: Shared): Promise<Response> {
  const { open, turns, sockets } = shared;
  const request = c.req.raw;
  const query = checkQuery(streamQuery, request.url);
  const accept = request.headers.get("Accept");
  if (preferredType(accept, [eventStreamMediaType]) === undefined) {
    return notAcceptable([eventStreamMediaType]);
  }
  if (open.value >= streamsMax) {
    throw new StreamError("queue_full", `Cannot open a stream: ${streamsMax} are open`);
  }
  const topic = c.req.param("topic") ?? "";
  const place = await findPlace(context, topic, {
    cursor: request.headers.get("Last-Event-ID") || query.cursor,
    offset: query.offset,
  });
  const isCarried = context.carriesStreams === true && request.headers.has("Upgrade");
  if (isCarried) return sockets.carry(request, { place, topic, values: query.values });
  const left = new AbortController();
  const topicStream = new TopicStream(context, {
    ...place,
    recordText: (record, partition) =>
      recordJson(record, { values: query.values, isOneLine: true, partition }),
    frame: eventFrame,
    signal: AbortSignal.any([context.shutdown, request.signal, left.signal]),
  });
  open.set(open.value + 1);
  const finish = () => open.set(open.value - 1);
  const body = streamBody(topicStream, { left, turns, finish });
  return new Response(body, { headers: eventStreamHeaders });
}

/** Writes what the stream gives as the client takes it. */
function streamBody(
  stream: TopicStream,
  {
    left,
    turns,
    finish,
  }: {
    readonly left: AbortController;
    readonly turns: PieceTurns;
    readonly finish: () => void;
  },
): ReadableStream<Uint8Array> {
  let isOpen = true;
  const close = () => {
    if (isOpen) finish();
    isOpen = false;
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await turns.take();
        const piece = await stream.next();
        if (!isOpen) return;
        if (piece !== undefined) {
          controller.enqueue(utf8.encode(piece.texts.join("")));
          return;
        }
        close();
        controller.close();
      },
      cancel() {
        close();
        left.abort();
      },
    },
    { highWaterMark: 0 },
  );
}
