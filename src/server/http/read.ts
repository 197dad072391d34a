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
import {
  type BoundedRead,
  cacheControl,
  entityTag,
  isImmutable,
  namesTag,
  standingTag,
  withinRange,
} from "./bounded-read.ts";
import { checkQuery } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { fetchError, fetchedRecords, nextOffsetAfter } from "./fetched-batches.ts";
import { notAcceptable } from "./problem-response.ts";
import { isPublicRead } from "./public-read.ts";
import { arrowPieces, arrowRow } from "./record-arrow.ts";
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
  /** What the answer holds. */
  readonly fetched: FetchedPartition;
  readonly fetchOffset: number;
  readonly nextOffset: number;
}

async function read(c: Context, context: HttpContext): Promise<Response> {
  const request = c.req.raw;
  const query = checkQuery(readQuery, request.url);
  const type = media.preferredType(request.headers.get("Accept"), offered);
  if (type === undefined) return notAcceptable(offered);
  const { endOffset } = query;
  const partition = parsePartition(c.req.param("partition") ?? "");
  const known = await requireTopic(context.topics, c.req.param("topic") ?? "");
  const topic = await context.topics.withPartition(known, partition);
  if (partition >= topic.partitionCount) throw unknownPartition(topic, partition);
  if (query.topicId !== undefined && query.topicId !== topic.topicId) throw recreated(topic);
  const fetchOffset = await resolveOffset(context, {
    topic,
    partition,
    offset: parseOffsetText(query.offset),
  });
  if (endOffset !== undefined && endOffset <= fetchOffset) throw emptyRange(fetchOffset);
  const ifNoneMatch = request.headers.get("If-None-Match");
  if (ifNoneMatch !== null && endOffset !== undefined && /^\d+$/.test(query.offset)) {
    const [status] = await context.log.status([{ topic, partition }]);
    const typeIndex = offered.indexOf(type);
    const standing = status && standingTag(ifNoneMatch, { topic, fetchOffset, typeIndex, status });
    if (standing !== undefined) {
      const headers = headersOf(topic, standing.nextOffset);
      sayCaching(request, context, { query, headers, tag: standing.tag });
      return new Response(null, { status: 304, headers });
    }
  }
  const all = await fetchOne(context, {
    topic,
    partition,
    fetchOffset,
    query,
    signal: request.signal,
  });
  // There are records and none was read.
  if (all.bytes === 0 && all.highOffset > fetchOffset) throw busy(context);
  const finish = onceOnly(() => {
    context.answerMemory.release([all]);
    // Texts are copies; batches as they are may still be on their way out of the runtime.
    if (type !== media.batchesMediaType) context.log.release([all]);
  });
  const fetched = endOffset === undefined ? all : withinRange(all, endOffset);
  let nextOffset = nextOffsetAfter(fetched, fetchOffset);
  // Batches are given whole, records are not given beyond the range.
  if (endOffset !== undefined && type !== media.batchesMediaType) {
    nextOffset = Math.min(nextOffset, endOffset);
  }
  const headers = headersOf(topic, nextOffset);
  headers.set("Content-Type", type);
  if (endOffset === undefined) {
    headers.set("Millrace-High-Offset", String(fetched.highOffset));
    headers.set("Millrace-Log-Start-Offset", String(fetched.logStartOffset));
  } else {
    const bounded = { topic, fetchOffset, endOffset, fetched, nextOffset };
    const tag = cacheTag(request, context, { bounded, query, type, headers });
    if (tag !== "" && namesTag(ifNoneMatch, tag)) {
      finish();
      headers.delete("Content-Type");
      return new Response(null, { status: 304, headers });
    }
  }
  const body = bodyOf(type, { query, fetched, fetchOffset, nextOffset }, { context, finish });
  return new Response(body, { headers });
}

function headersOf(topic: TopicInfo, nextOffset: number): Headers {
  return new Headers({
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Millrace-Topic-Id": topic.topicId,
    "Millrace-Next-Offset": String(nextOffset),
    Vary: "Accept",
  });
}

/** Says in `headers` how long the answer may be kept; returns its tag, empty when it has none. */
function cacheTag(
  request: Request,
  context: HttpContext,
  what: {
    readonly bounded: BoundedRead;
    readonly query: ReadQuery;
    readonly type: ReadType;
    readonly headers: Headers;
  },
): string {
  const { bounded, query, type, headers } = what;
  if (!/^\d+$/.test(query.offset) || !isImmutable(bounded)) return "";
  const tag = entityTag(bounded, offered.indexOf(type));
  sayCaching(request, context, { query, headers, tag });
  return tag;
}

function sayCaching(
  request: Request,
  { settings }: HttpContext,
  what: { readonly query: ReadQuery; readonly headers: Headers; readonly tag: string },
): void {
  const { query, headers, tag } = what;
  const { token, publicTopics } = settings;
  const isPublic = token === undefined || isPublicRead(request, publicTopics);
  headers.set("ETag", tag);
  headers.set(
    "Cache-Control",
    cacheControl({ isPublic, namesTopicId: query.topicId !== undefined }),
  );
  // Who is asked first must not decide which pages a cache answers.
  if (!isPublicRead(request, publicTopics)) headers.set("Vary", "Accept, Origin");
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
  { fetched, fetchOffset, nextOffset }: Read,
  context: HttpContext,
  textOf: (record: LogRecord) => string,
): Generator<string, void, undefined> {
  const { decompressedBytesMax } = context.settings;
  const { codecs } = context.platform;
  const memory = context.answerMemory;
  const options = { fromOffset: fetchOffset, codecs, decompressedBytesMax, memory };
  for (const record of fetchedRecords(fetched, options)) {
    // Its batch may go on beyond the range.
    if (record !== undefined && record.offset >= nextOffset) return;
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
  const { query, nextOffset, fetched } = what;
  const end = query.endOffset === undefined ? `,"highOffset":${fetched.highOffset}` : "";
  yield `],"nextOffset":${nextOffset}${end}}\n`;
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

function recreated(topic: TopicInfo): StreamError {
  return new StreamError(
    "topic_recreated",
    `Cannot read: topic "${topic.name}" has the id ${topic.topicId} now; begin anew`,
    { details: { field: "topicId", expected: topic.topicId } },
  );
}

function emptyRange(fetchOffset: number): StreamError {
  return new StreamError("invalid_request", "Cannot read: the range ends where it begins", {
    details: { field: "endOffset", expected: `above ${fetchOffset}` },
  });
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
