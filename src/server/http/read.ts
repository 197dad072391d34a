/**
 * `GET /v1/topics/{topic}/partitions/{partition}/records`: one fetch of the log, written as the
 * client's Accept header asks.
 */
import { type Context, Hono } from "hono";
import { present } from "../../base/assert.ts";
import { StreamError } from "../../base/stream-error.ts";
import type { FetchedPartition } from "../../log/log-types.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import type { LogRecord } from "../../record/types.ts";
import * as media from "../../wire/http/media-type.ts";
import {
  type OffsetText,
  parseOffsetText,
  type ReadQuery,
  readQuery,
} from "../../wire/http/queries.ts";
import { unknownPartition } from "./batch-build.ts";
import { checkQuery } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { fetchError, fetchedRecords, nextOffsetAfter } from "./fetched-batches.ts";
import { notAcceptable } from "./problem-response.ts";
import { arrowPieces, arrowRow, requireArrow } from "./record-arrow.ts";
import { recordJson } from "./record-json.ts";
import { type AnswerBody, bytesBody, noTextYet, piecesBody, textBody } from "./text-body.ts";
import { requireTopic } from "./topic-lookup.ts";

const offered = [
  ...[media.jsonMediaType, media.ndjsonMediaType, media.batchesMediaType],
  media.arrowStreamMediaType,
] as const;
type ReadType = (typeof offered)[number];

export function readApp(context: HttpContext, endpoints: Endpoints): Hono {
  const app = new Hono();
  endpoints.mount(app, "read", (c) => read(c, context));
  return app;
}

interface Read {
  readonly query: ReadQuery;
  readonly fetched: FetchedPartition;
  readonly fetchOffset: number;
  readonly nextOffset: number;
}

async function read(c: Context, context: HttpContext): Promise<Response> {
  const request = c.req.raw;
  const query = checkQuery(readQuery, request.url);
  const type = media.preferredType(request.headers.get("Accept"), offered);
  if (type === undefined) return notAcceptable(offered);
  if (type === media.arrowStreamMediaType) requireArrow();
  const partition = parsePartition(c.req.param("partition") ?? "");
  const known = await requireTopic(context.topics, c.req.param("topic") ?? "");
  const topic = await context.topics.withPartition(known, partition);
  if (partition >= topic.partitionCount) throw unknownPartition(topic, partition);
  const fetchOffset = await resolveOffset(context, {
    topic,
    partition,
    offset: parseOffsetText(query.offset),
  });
  const fetched = await fetchOne(context, {
    topic,
    partition,
    fetchOffset,
    query,
    signal: request.signal,
  });
  // There are records and none was read.
  if (fetched.bytes === 0 && fetched.highOffset > fetchOffset) throw busy(context);
  const finish = onceOnly(() => {
    context.answerMemory.release([fetched]);
    // Texts are copies; batches as they are may still be on their way out of the runtime.
    if (type !== media.batchesMediaType) context.log.release([fetched]);
  });
  const nextOffset = nextOffsetAfter(fetched, fetchOffset);
  const body = bodyOf(type, { query, fetched, fetchOffset, nextOffset }, { context, finish });
  return new Response(body, {
    headers: {
      "Content-Type": type,
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
      "Millrace-Next-Offset": String(nextOffset),
      "Millrace-High-Offset": String(fetched.highOffset),
      "Millrace-Log-Start-Offset": String(fetched.logStartOffset),
      Vary: "Accept",
    },
  });
}

function bodyOf(
  type: ReadType,
  what: Read,
  { context, finish }: { readonly context: HttpContext; readonly finish: () => void },
): AnswerBody {
  if (type === media.batchesMediaType) return bytesBody(what.fetched.chunks, finish);
  const { timers } = context.platform;
  const isOneLine = type === media.ndjsonMediaType;
  const { values } = what.query;
  if (type === media.arrowStreamMediaType) {
    const rows = recordTexts(what, context, (record) => arrowRow(record, what.fetched.partition));
    return piecesBody(arrowPieces(rows), { finish, timers });
  }
  const texts = recordTexts(what, context, (record) => recordJson(record, { values, isOneLine }));
  return textBody(isOneLine ? lines(texts) : envelope(texts, what), { finish, timers });
}

function* recordTexts(
  { fetched, fetchOffset }: Read,
  context: HttpContext,
  textOf: (record: LogRecord) => string,
): Generator<string, void, undefined> {
  const { decompressedBytesMax } = context.settings;
  const { codecs } = context.platform;
  const memory = context.answerMemory;
  const options = { fromOffset: fetchOffset, codecs, decompressedBytesMax, memory };
  for (const record of fetchedRecords(fetched, options)) {
    yield record === undefined ? noTextYet : textOf(record);
  }
}

function* lines(texts: Iterable<string>): Generator<string, void, undefined> {
  for (const text of texts) yield text === noTextYet ? noTextYet : `${text}\n`;
}

function* envelope(texts: Iterable<string>, what: Read): Generator<string, void, undefined> {
  yield '{"records":[';
  let separator = "";
  for (const text of texts) {
    if (text === noTextYet) {
      yield noTextYet;
      continue;
    }
    yield separator + text;
    separator = ",";
  }
  yield `],"nextOffset":${what.nextOffset},"highOffset":${what.fetched.highOffset}}`;
}

async function fetchOne(
  { log, shutdown, answerMemory: memory }: HttpContext,
  what: {
    readonly topic: TopicInfo;
    readonly partition: number;
    readonly fetchOffset: number;
    readonly query: ReadQuery;
    readonly signal: AbortSignal;
  },
): Promise<FetchedPartition> {
  const { topic, partition, fetchOffset, query } = what;
  const { maxBytes, waitMs } = query;
  const asked = {
    topicId: topic.topicId,
    partition,
    fetchOffset,
    partitionBytesMax: maxBytes,
    currentLeaderEpoch: -1,
  };
  const signal = waitMs === 0 ? undefined : AbortSignal.any([what.signal, shutdown]);
  const limits = { bytesMin: 1, bytesMax: maxBytes, waitMsMax: waitMs };
  const request = { partitions: [asked], ...limits, memory };
  const [answer] = await log.fetch(request, signal);
  const fetched = present(answer, "answer for the partition asked");
  if (fetched.error !== undefined) throw fetchError(fetched, topic.name, fetchOffset);
  return fetched;
}

/** The offset that an `offset` parameter means; past the end of time, the end. */
export async function resolveOffset(
  { log }: HttpContext,
  what: {
    readonly topic: TopicInfo;
    readonly partition: number;
    readonly offset: OffsetText;
  },
): Promise<number> {
  const { topic, partition, offset } = what;
  if (typeof offset === "object" && "offset" in offset) return offset.offset;
  const found = await log.findOffset(topic, partition, offset);
  if (found.offset !== -1) return found.offset;
  return (await log.findOffset(topic, partition, "latest")).offset;
}

function parsePartition(text: string): number {
  const partition = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(partition)) {
    throw new StreamError("invalid_request", `Cannot read partition "${text}": it is no number`, {
      details: { field: "partition", expected: "an integer from 0" },
    });
  }
  return partition;
}

function busy({ answerMemory }: HttpContext): StreamError {
  return new StreamError(
    "queue_full",
    `Cannot answer now: readers in flight hold ${answerMemory.waitingBytes} of ` +
      `${answerMemory.capacityBytes} bytes`,
  );
}

function onceOnly(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
}
