/**
 * `POST /v1/topics/{topic}/records`. All records of a request are appended or none: they are one
 * group of the log, so a request that failed can be sent again whole. With the three producer
 * headers that is safe even when the answer was lost: the group carries the request's place in its
 * producer's sequence, and a repeat gets the first answer.
 */
import { Hono } from "hono";
import { present } from "../../base/assert.ts";
import type { Counter } from "../../base/metrics.ts";
import { StreamError } from "../../base/stream-error.ts";
import type { AppendBatch } from "../../log/log-types.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import type { AppendedRange, PublishEffect } from "../../meta/publish-request.ts";
import { partitionForKey, StickyPartitioner } from "../../record/partitioner.ts";
import type { TopicId } from "../../record/types.ts";
import * as media from "../../wire/http/media-type.ts";
import { parseProduceJson } from "../../wire/http/produce-json.ts";
import { producerHeaders, tokenQuery, valueQuery } from "../../wire/http/queries.ts";
import { buildBatches, checkRecords, type RecordToAppend, routeRecords } from "./batch-build.ts";
import { checkQuery, checkShape } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import { type Endpoints, grantOf } from "./endpoint.ts";
import { lineRecords } from "./line-records.ts";
import { PieceTurns } from "./piece-turns.ts";
import { RecordGatherer } from "./record-gatherer.ts";
import { receiveBody } from "./request-body.ts";
import type { HandedRequest, RequestHead } from "./request-head.ts";
import type { Grant } from "./token-gate.ts";
import { topicToWrite } from "./topic-lookup.ts";

/** Records of one request: what a segment's index and a batch's int32 count bear with ease. */
const requestRecordsMax = 1_000_000;
/** Topics whose keyless partition is remembered; one more and all choose anew. */
const stickyTopicsMax = 10_000;

/** Bodies from this size on take turns: all at once they would make garbage of many times that. */
const largeBodyBytesMin = 64 * 1024;

const utf8 = new TextEncoder();

/** An HTTP producer's place in its sequence, as its headers say. */
interface ProducerPlace {
  readonly name: string;
  readonly epoch: number;
  readonly sequence: number;
}

/** Who appends. */
interface Asker {
  readonly place: ProducerPlace | undefined;
  /** What its access token allows it; undefined: it shows none. */
  readonly grant: Grant | undefined;
}

/** A request as the log takes it; its bytes are counted until `release`. */
interface Prepared {
  readonly topic: TopicInfo;
  /** A record alone, which others may join. */
  readonly single: { readonly partition: number; readonly record: RecordToAppend } | undefined;
  readonly batches: readonly AppendBatch[];
  readonly effects: readonly PublishEffect[];
  readonly recordCount: number;
  readonly bodyBytes: number;
  release(): void;
}

/** The sub-app of produce. */
export function produceApp(producer: Producer, endpoints: Endpoints): Hono {
  const app = new Hono();
  endpoints.mount(app, "produce", async (c) => {
    const topicName = c.req.param("topic") ?? "";
    const text = await producer.append(c.req.raw, { topicName, grant: grantOf(c) });
    return new Response(text, { headers: { "Content-Type": media.jsonMediaType } });
  });
  return app;
}

/** What says where a request appends, and what its access token allows. */
export interface ProduceOptions {
  readonly topicName: string;
  readonly grant: Grant | undefined;
}

export class Producer {
  readonly #context: HttpContext;
  readonly #gatherer: RecordGatherer;
  readonly #turns: PieceTurns;
  readonly #sticky = new Map<TopicId, StickyPartitioner>();
  readonly #recordsIn: Counter;
  readonly #bytesIn: Counter;

  constructor(context: HttpContext) {
    this.#context = context;
    this.#gatherer = new RecordGatherer(context);
    this.#turns = new PieceTurns(context.platform.timers);
    this.#recordsIn = context.metrics.counter({
      name: "millrace_http_produced_records_total",
      help: "Records appended over HTTP.",
    });
    this.#bytesIn = context.metrics.counter({
      name: "millrace_http_produced_bytes_total",
      help: "Bytes of produce bodies, decompressed.",
    });
  }

  /** Appends the records of a request, and gives its answer as JSON once they are published. */
  async append(request: Request | HandedRequest, options: ProduceOptions): Promise<string> {
    const { topics, log } = this.#context;
    const { topicName, grant } = options;
    const place = producerPlace(request);
    const topic = await topicToWrite(topics, topicName);
    try {
      return await this.#produce(request, topic, { place, grant });
    } catch (error) {
      if (place !== undefined && error instanceof StreamError && error.retriable) {
        log.noteRefused({ guards: [], effects: [effectOf(topic, place)] });
      }
      throw error;
    }
  }

  async #produce(
    request: Request | HandedRequest,
    known: TopicInfo,
    asker: Asker,
  ): Promise<string> {
    const prepared = await this.#receive(request, known, asker);
    try {
      const ranges = await this.#append(prepared);
      this.#recordsIn.add(prepared.recordCount);
      this.#bytesIn.add(prepared.bodyBytes);
      return answer(ranges);
    } finally {
      prepared.release();
    }
  }

  /**
   * Receives the body and makes of it what the log takes. Ends before the log is waited for: the
   * body and its records, which weigh a multiple of it when lines are short, are garbage then.
   */
  async #receive(
    request: Request | HandedRequest,
    known: TopicInfo,
    { place, grant }: Asker,
  ): Promise<Prepared> {
    const { topics, bodyBudget, settings, platform } = this.#context;
    const { bytes, release } = await receiveBody(request, {
      budget: bodyBudget,
      bytesMax: settings.requestBytesMax,
      codecs: platform.codecs,
    });
    try {
      if (bytes.length >= largeBodyBytesMin) await this.#turns.take();
      const records = readRecords(request, bytes, platform.clock.now());
      grant?.takeRecords(records.length);
      const topic = await topics.withPartition(known, greatestPartition(records));
      checkRecords(topic, records, platform);
      const made = this.#make(topic, records, { place, bodyBytes: bytes.length });
      return { ...made, topic, recordCount: records.length, bodyBytes: bytes.length, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #make(
    topic: TopicInfo,
    records: readonly RecordToAppend[],
    { place, bodyBytes }: { readonly place: ProducerPlace | undefined; readonly bodyBytes: number },
  ): Pick<Prepared, "single" | "batches" | "effects"> {
    const routed = routeRecords(topic, records, () =>
      place === undefined
        ? this.#stickyPartition(topic, bodyBytes)
        : partitionForKey(utf8.encode(place.name), topic.partitionCount),
    );
    const [record] = records;
    const [route] = routed;
    if (place === undefined && records.length === 1 && record && route) {
      return { single: { partition: route.partition, record }, batches: [], effects: [] };
    }
    const batches = routed.flatMap((each) => buildBatches(topic, each, this.#context.platform));
    const effects = place === undefined ? [] : [effectOf(topic, place)];
    return { single: undefined, batches, effects };
  }

  async #append(prepared: Prepared): Promise<readonly AppendedRange[]> {
    const { topic, single, batches, effects } = prepared;
    if (single !== undefined) {
      const { partition, record } = single;
      const baseOffset = await this.#gatherer.append(topic, partition, record);
      return [{ partition, baseOffset, count: 1 }];
    }
    const { log } = this.#context;
    const { appended, repeated } = await log.appendGroup({ guards: [], effects, batches });
    if (repeated !== null) return repeated;
    return rangesOf(
      batches,
      appended.map((each) => each.baseOffset),
    );
  }

  /** Keyless records of one request stay together; a producer's go where its id says (above). */
  #stickyPartition(topic: TopicInfo, bytes: number): number {
    let sticky = this.#sticky.get(topic.topicId);
    if (sticky === undefined) {
      if (this.#sticky.size >= stickyTopicsMax) this.#sticky.clear();
      sticky = new StickyPartitioner(this.#context.platform.random);
      this.#sticky.set(topic.topicId, sticky);
    }
    return sticky.next({ partitionCount: topic.partitionCount, bytes });
  }
}

/** Of those that the request chooses itself. */
function greatestPartition(records: readonly RecordToAppend[]): number {
  let greatest = -1;
  for (const { partition = -1 } of records) greatest = Math.max(greatest, partition);
  return greatest;
}

function readRecords(request: RequestHead, body: Uint8Array, now: number): RecordToAppend[] {
  const contentType = request.headers.get("Content-Type");
  const type = contentType === null ? undefined : media.essence(contentType);
  switch (type) {
    case media.jsonMediaType:
      if (request.url.includes("?")) checkQuery(tokenQuery, request.url);
      return jsonRecords(body, now);
    case media.textMediaType:
      if (isJsonByQuery(request)) return jsonRecords(body, now);
      return recordsOfLines(request, body, now);
    case media.ndjsonMediaType:
      return recordsOfLines(request, body, now);
    case media.bytesMediaType:
      return [{ ...valueOptions(request), value: body, timestamp: now }];
    default:
      throw new StreamError(
        "unsupported_media_type",
        `Cannot append a body of ${type ?? "no content type"}: send application/json, ` +
          "application/x-ndjson, text/plain or application/octet-stream",
        { details: { field: "Content-Type", expected: "one of the four" } },
      );
  }
}

/** What a beacon of a page sends: only text needs no preflight. */
function isJsonByQuery({ url }: RequestHead): boolean {
  if (!url.includes("?")) return false;
  const { body, key, partition } = checkQuery(valueQuery, url);
  if (body === "json" && (key !== undefined || partition !== undefined)) {
    throw new StreamError(
      "invalid_request",
      "Cannot append: with body=json each record names its own key and partition",
      { details: { field: key === undefined ? "partition" : "key", expected: "nothing" } },
    );
  }
  return body === "json";
}

function recordsOfLines(request: RequestHead, body: Uint8Array, now: number): RecordToAppend[] {
  const recordCountMax = requestRecordsMax;
  return lineRecords(body, { ...valueOptions(request), timestamp: now, recordCountMax });
}

function jsonRecords(body: Uint8Array, now: number): RecordToAppend[] {
  const records = parseProduceJson(body, { recordCountMax: requestRecordsMax });
  return records.map((record) => ({ ...record, timestamp: record.timestamp ?? now }));
}

/** Key and partition that the query gives to every record of the body. */
function valueOptions(request: RequestHead) {
  if (!request.url.includes("?")) return { key: null, partition: undefined };
  const { key, partition } = checkQuery(valueQuery, request.url);
  return { key: key === undefined ? null : utf8.encode(key), partition };
}

function producerPlace({ headers, url }: RequestHead): ProducerPlace | undefined {
  const given: Record<string, string> = {};
  // Beacons send no headers.
  const query = url.includes("Producer-") ? new URL(url).searchParams : undefined;
  for (const name of ["Producer-Id", "Producer-Epoch", "Producer-Seq"]) {
    const value = headers.get(name) ?? query?.get(name) ?? null;
    if (value !== null) given[name] = value;
  }
  const count = Object.keys(given).length;
  if (count === 0) return undefined;
  if (count < 3) {
    const missing = ["Producer-Id", "Producer-Epoch", "Producer-Seq"].find(
      (name) => given[name] === undefined,
    );
    throw new StreamError("invalid_request", `Cannot append: header ${missing} is missing`, {
      details: { field: String(missing), expected: "all three producer headers, or none" },
    });
  }
  const checked = checkShape(producerHeaders, given, "producer headers");
  return {
    name: present(checked["Producer-Id"], "Producer-Id"),
    epoch: present(checked["Producer-Epoch"], "Producer-Epoch"),
    sequence: present(checked["Producer-Seq"], "Producer-Seq"),
  };
}

function effectOf(topic: TopicInfo, place: ProducerPlace): PublishEffect {
  return { kind: "httpProducer", topicNumber: topic.topicNumber, ...place };
}

/** A line per run of consecutive offsets: the batches of a partition follow each other. */
function rangesOf(
  batches: readonly AppendBatch[],
  baseOffsets: readonly number[],
): readonly AppendedRange[] {
  const ranges: AppendedRange[] = [];
  batches.forEach(({ partition, header }, index) => {
    const baseOffset = baseOffsets[index] ?? -1;
    const last = ranges.at(-1);
    if (last?.partition === partition && last.baseOffset + last.count === baseOffset) {
      ranges[ranges.length - 1] = { ...last, count: last.count + header.recordCount };
    } else ranges.push({ partition, baseOffset, count: header.recordCount });
  });
  return ranges;
}

function answer(ranges: readonly AppendedRange[]): string {
  const offsets = ranges.map(
    ({ partition, baseOffset, count }) =>
      `{"partition":${partition},"baseOffset":${baseOffset},"count":${count}}`,
  );
  return `{"offsets":[${offsets.join(",")}]}\n`;
}
