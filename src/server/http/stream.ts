/** `GET /v1/topics/{topic}/stream`: opens a topic-stream where the client wants it. */
import { type Context, Hono } from "hono";
import type { Gauge } from "../../base/metrics.ts";
import { StreamError } from "../../base/stream-error.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import type { TopicId } from "../../record/types.ts";
import { decodeCursor } from "../../wire/http/cursor.ts";
import { eventStreamMediaType, preferredType } from "../../wire/http/media-type.ts";
import { type OffsetText, parseOffsetText, streamQuery } from "../../wire/http/queries.ts";
import { checkQuery } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { PieceTurns } from "./piece-turns.ts";
import { notAcceptable } from "./problem-response.ts";
import { resolveOffset } from "./read.ts";
import { requireTopic } from "./topic-lookup.ts";
import { TopicStream } from "./topic-stream.ts";

/** Streams open at a time: each holds a fetch of 64 KiB and its text. */
const streamsMax = 10_000;
/** Partitions whose start is looked up at a time. */
const lookupsMax = 32;

const utf8 = new TextEncoder();

export function streamApp(context: HttpContext, endpoints: Endpoints): Hono {
  const app = new Hono();
  const open = context.metrics.gauge({
    name: "millrace_http_streams",
    help: "Event streams that are open.",
  });
  const turns = new PieceTurns(context.platform.timers);
  endpoints.mount(app, "stream", (c) => stream(c, context, { open, turns }));
  return app;
}

/** What all streams share. */
interface Shared {
  readonly open: Gauge;
  readonly turns: PieceTurns;
}

async function stream(c: Context, context: HttpContext, shared: Shared): Promise<Response> {
  const { open, turns } = shared;
  const request = c.req.raw;
  const query = checkQuery(streamQuery, request.url);
  const accept = request.headers.get("Accept");
  if (preferredType(accept, [eventStreamMediaType]) === undefined) {
    return notAcceptable([eventStreamMediaType]);
  }
  if (open.value >= streamsMax) {
    throw new StreamError("queue_full", `Cannot open a stream: ${streamsMax} are open`);
  }
  const name = c.req.param("topic") ?? "";
  const cursor = request.headers.get("Last-Event-ID") || query.cursor;
  const place =
    cursor === undefined
      ? await begin(context, name, parseOffsetText(query.offset))
      : await resume(context, name, cursor);
  const left = new AbortController();
  const topicStream = new TopicStream(context, {
    ...place,
    values: query.values,
    signal: AbortSignal.any([context.shutdown, request.signal, left.signal]),
  });
  open.set(open.value + 1);
  const finish = () => open.set(open.value - 1);
  const body = streamBody(topicStream, { left, turns, finish });
  return new Response(body, {
    headers: {
      "Content-Type": eventStreamMediaType,
      "Cache-Control": "no-store, no-transform",
      "X-Accel-Buffering": "no",
      "X-Content-Type-Options": "nosniff",
    },
  });
}

interface Place {
  readonly topic: TopicInfo;
  readonly offsets: readonly number[];
}

async function begin(context: HttpContext, name: string, offset: OffsetText): Promise<Place> {
  const topic = await requireTopic(context.topics, name);
  const all = Array.from({ length: topic.partitionCount }, (_, partition) => partition);
  const offsets: number[] = [];
  const status = await context.log.status(all.map((partition) => ({ topic, partition })));
  for (let start = 0; start < all.length; start += lookupsMax) {
    const some = all.slice(start, start + lookupsMax);
    const found = some.map((partition) => {
      const known = status[partition];
      if (known === undefined) return 0;
      if (offset === "earliest") return known.logStartOffset;
      if (offset === "latest") return known.highOffset;
      if ("offset" in offset) return clamp(offset.offset, known.logStartOffset, known.highOffset);
      return resolveOffset(context, { topic, partition, offset });
    });
    offsets.push(...(await Promise.all(found)));
  }
  return { topic, offsets };
}

/**
 * The place of a cursor. That its topic is gone is believed only when the metadata says so: this
 * worker may not have heard yet of the topic that another one made.
 */
async function resume(context: HttpContext, name: string, text: string): Promise<Place> {
  const { topicId, offsets } = decodeCursor(text);
  const named = await context.topics.byName(name);
  const topic = named?.topicId === topicId ? named : await context.topics.byId(topicId as TopicId);
  if (topic === undefined || topic.name !== name) {
    if (topic === undefined && named === undefined) await requireTopic(context.topics, name);
    throw new StreamError(
      "topic_recreated",
      `Cannot resume: the cursor is of another topic than the "${name}" there is now; begin anew`,
      { details: { field: "Last-Event-ID", expected: "a cursor of this topic" } },
    );
  }
  if (offsets.length > topic.partitionCount) await requirePartition(context, topic, offsets.length);
  return { topic, offsets };
}

/** A cursor may know of partitions that this worker has not heard of yet. */
async function requirePartition(
  { log }: HttpContext,
  topic: TopicInfo,
  partitionCount: number,
): Promise<void> {
  const [last] = await log.status([{ topic, partition: partitionCount - 1 }]);
  if (last !== undefined) return;
  throw new StreamError(
    "invalid_request",
    `Cannot resume: the cursor has ${partitionCount} partitions, more than "${topic.name}"`,
    { details: { field: "Last-Event-ID", expected: "the id of an event of this stream" } },
  );
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
        const text = await stream.next();
        if (!isOpen) return;
        if (text !== undefined) {
          controller.enqueue(utf8.encode(text));
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

function clamp(offset: number, least: number, greatest: number): number {
  return Math.min(Math.max(offset, least), greatest);
}
