/**
 * Collects appends, seals them into segments and hands those to the store; the publisher takes over
 * when the bytes are durable. On a record's path this stands between the servers and the store.
 *
 * Several flights may be under way: a next segment fills and uploads while the last one is in
 * flight. They are published in the order in which they were sealed, so a producer's order holds.
 */
import type { Counter, Gauge, Histogram, Metrics } from "../base/metrics.ts";
import type { Platform, TimerHandle } from "../base/platform.ts";
import { isStreamError, StreamError } from "../base/stream-error.ts";
import { encodeSegment, planSegment } from "../segment/encode.ts";
import type { EntryInput, SegmentInput, SegmentTopic } from "../segment/segment.ts";
import type { ObjectStore } from "../store/object-store.ts";
import type { Flight } from "./flight.ts";
import { type FlushPolicy, flushAgeMsOf, flushCost, sealDelayMs } from "./flush-policy.ts";
import { type PendingAppend, shuttingDown } from "./pending-append.ts";
import type { Publisher } from "./publisher.ts";
import type { ReceiptLedger } from "./receipt-ledger.ts";
import { draftSegment, lastSequenceOf, type Run, type SegmentDraft } from "./segment-draft.ts";
import type { SegmentRing } from "./segment-ring.ts";
import { TokenBucket } from "./token-bucket.ts";
import type { WorkerIdentity } from "./worker-identity.ts";

export interface BatcherParts {
  readonly platform: Platform;
  readonly metrics: Metrics;
  readonly store: ObjectStore;
  readonly ring: SegmentRing;
  readonly publisher: Publisher;
  readonly receipts: ReceiptLedger;
  readonly identity: WorkerIdentity;
  readonly policy: FlushPolicy;
  /**
   * Bytes of batches that may wait or fly. The servers' own budgets keep them from coming here;
   * past this bound appends are refused.
   */
  readonly queueBytesMax: number;
}

/** What cannot be split may take this part of the ring, so that others fit beside it. */
const ringShare = 4;

export class Batcher {
  readonly #parts: BatcherParts;
  readonly #bucket: TokenBucket;
  readonly #counters: FlushCounters;
  #pending: PendingAppend[] = [];
  #pendingBytes = 0;
  /** Monotonic milliseconds at which the first waiting append has waited long enough. */
  #dueAt = Number.POSITIVE_INFINITY;
  #flights = 0;
  #flightBytes = 0;
  #timer: TimerHandle | undefined;
  #looking = false;
  #closing = false;
  #idle: (() => void)[] = [];

  constructor(parts: BatcherParts) {
    this.#parts = parts;
    this.#bucket = new TokenBucket({
      ratePerSecond: parts.policy.flushRateMax,
      burst: parts.policy.flushBurst,
      now: parts.platform.clock.monotonic(),
    });
    this.#counters = flushCounters(parts.metrics);
  }

  /** Takes an append over; its promise settles with its receipt. */
  add(append: PendingAppend): void {
    if (this.#closing) {
      append.reject(shuttingDown());
      return;
    }
    const bytesMax = this.#parts.ring.capacityBytes / ringShare;
    if (append.bytes > bytesMax) {
      this.#parts.publisher.failed.add(append);
      append.reject(tooLarge(append.bytes, bytesMax));
      return;
    }
    if (this.queuedBytes + append.bytes > this.#parts.queueBytesMax && this.queuedBytes > 0) {
      this.#parts.publisher.failed.add(append);
      append.reject(queueFull(this.#parts.queueBytesMax));
      return;
    }
    this.#pending.push(append);
    this.#pendingBytes += append.bytes;
    this.#dueAt = Math.min(this.#dueAt, this.#dueAtOf(append));
    this.#counters.queueBytes.set(this.queuedBytes);
    this.#lookSoon();
  }

  /** Bytes of batches between arrival and receipt. */
  get queuedBytes(): number {
    return this.#pendingBytes + this.#flightBytes;
  }

  /** Flushes what waits, whatever the ceiling says, and resolves when all of it has settled. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#look();
    if (this.#pending.length === 0 && this.#flights === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Looks once the current event is done, so that a request's partitions share a segment. */
  #lookSoon(): void {
    if (this.#looking) return;
    this.#looking = true;
    queueMicrotask(() => this.#look());
  }

  #look(): void {
    this.#looking = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    const { platform, policy } = this.#parts;
    for (;;) {
      const now = platform.clock.monotonic();
      const delayMs = this.#delayMs(now);
      if (delayMs > 0) {
        if (delayMs < Number.POSITIVE_INFINITY) {
          this.#timer = platform.timers.after(delayMs, () => this.#look());
        }
        return;
      }
      const draft = draftSegment(this.#pending, { bytesMax: policy.flushBytes });
      if (!this.#seal(draft)) return;
      this.#bucket.take(now, flushCost(policy, draft.bytes));
    }
  }

  #dueAtOf({ batches, enqueuedAt }: PendingAppend): number {
    const first = batches[0];
    return first === undefined
      ? enqueuedAt
      : enqueuedAt + flushAgeMsOf(this.#parts.policy, first.topic);
  }

  #delayMs(now: number): number {
    if (this.#pending.length === 0) return Number.POSITIVE_INFINITY;
    const { policy } = this.#parts;
    if (this.#closing) return this.#flights < policy.flightsMax ? 0 : Number.POSITIVE_INFINITY;
    return sealDelayMs(policy, {
      pendingBytes: this.#pendingBytes,
      dueMs: this.#dueAt - now,
      flights: this.#flights,
      ceilingWaitMs: this.#bucket.waitMs(now, flushCost(policy, this.#pendingBytes)),
    });
  }

  /** False when the ring has no room until a flight ends, which looks again. */
  #seal(draft: SegmentDraft): boolean {
    const { identity, receipts, ring, platform } = this.#parts;
    const epoch = identity.current();
    const carried = receipts.take(epoch.workerEpoch);
    const plan = planSegment(
      segmentInput(draft, {
        workerEpoch: epoch.workerEpoch,
        sequence: epoch.lastSequence + 1,
        createdAt: platform.clock.now(),
        receipts: carried,
      }),
    );
    const slot = plan.length <= ring.capacityBytes ? ring.allocate(plan.length) : undefined;
    if (slot === undefined) {
      receipts.putBack({ workerEpoch: epoch.workerEpoch, receipts: carried });
      return false;
    }
    epoch.lastSequence += 1;
    const encoded = encodeSegment(plan, slot.bytes, platform.crc32c);
    this.#pending = draft.left;
    this.#pendingBytes -= draft.bytes;
    this.#dueAt = Number.POSITIVE_INFINITY;
    for (const append of draft.left) this.#dueAt = Math.min(this.#dueAt, this.#dueAtOf(append));
    this.#flights += 1;
    this.#flightBytes += draft.bytes;
    const flight: Flight = {
      workerEpoch: epoch.workerEpoch,
      sequence: epoch.lastSequence,
      draft,
      slot,
      encoded,
      failed: false,
    };
    this.#parts.publisher.announce(flight, () => this.#landed(flight));
    this.#write(flight, carried);
    return true;
  }

  /** Starts the write; settles by itself, so nobody awaits it. */
  #write(flight: Flight, carried: SegmentInput["receipts"]): void {
    const { store, publisher, receipts, platform } = this.#parts;
    const startedAt = platform.clock.monotonic();
    const bytes = flight.slot.bytes;
    this.#counters.flushes.add();
    this.#counters.bytes.add(bytes.length);
    store
      .writeSegment({ workerEpoch: flight.workerEpoch, sequence: flight.sequence, bytes })
      .then(
        (location) => {
          this.#counters.putSeconds.observe((platform.clock.monotonic() - startedAt) / 1000);
          flight.location = location;
        },
        (error: unknown) => {
          receipts.putBack({ workerEpoch: flight.workerEpoch, receipts: carried });
          flight.failed = true;
          this.#refuse(flight, error);
        },
      )
      .then(() => publisher.advance());
  }

  #refuse(flight: Flight, cause: unknown): void {
    this.#counters.failures.add();
    const error = isStreamError(cause)
      ? cause
      : new StreamError("store_unavailable", "Cannot write a segment to the store", { cause });
    this.#parts.platform.log.error("segment not stored", {
      workerEpoch: flight.workerEpoch,
      sequence: flight.sequence,
      error: error.message,
    });
    for (const append of flight.draft.taken) append.reject(error);
  }

  #landed(flight: Flight): void {
    flight.slot.unpin();
    this.#flights -= 1;
    this.#flightBytes -= flight.draft.bytes;
    this.#counters.queueBytes.set(this.queuedBytes);
    this.#look();
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#pending.length > 0 || this.#flights > 0) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }
}

function tooLarge(bytes: number, bytesMax: number): StreamError {
  return new StreamError(
    "segment_too_large",
    `Cannot append ${bytes} bytes at once: this worker takes up to ${bytesMax}; ` +
      "send less in one request, or give the worker more --cache-bytes",
    { details: { bytes, bytesMax } },
  );
}

function queueFull(bytesMax: number): StreamError {
  return new StreamError(
    "queue_full",
    `Cannot append: ${bytesMax} bytes wait for the store already; send again in a moment`,
  );
}

interface FlushCounters {
  readonly flushes: Counter;
  readonly bytes: Counter;
  readonly failures: Counter;
  readonly putSeconds: Histogram;
  readonly queueBytes: Gauge;
}

function flushCounters(metrics: Metrics): FlushCounters {
  return {
    flushes: metrics.counter({ name: "millrace_flushes_total", help: "Segments sealed." }),
    bytes: metrics.counter({
      name: "millrace_flush_bytes_total",
      help: "Bytes of sealed segments.",
    }),
    failures: metrics.counter({
      name: "millrace_flush_failures_total",
      help: "Segments that the store did not take.",
    }),
    putSeconds: metrics.histogram({
      name: "millrace_put_duration_seconds",
      help: "Time to write a segment to the store.",
    }),
    queueBytes: metrics.gauge({
      name: "millrace_queue_bytes",
      help: "Bytes of appends between arrival and receipt.",
    }),
  };
}

function segmentInput(
  draft: SegmentDraft,
  head: Omit<SegmentInput, "topics" | "entries" | "groups">,
): SegmentInput {
  const topics: SegmentTopic[] = [];
  const topicIndexes = new Map<number, number>();
  const entries = draft.runs.map((run): EntryInput => {
    const { topic } = firstBatch(run);
    let topicIndex = topicIndexes.get(topic.topicNumber);
    if (topicIndex === undefined) {
      const { topicId, name, partitionCount } = topic;
      topicIndex = topics.push({ topicId, name, partitionCount }) - 1;
      topicIndexes.set(topic.topicNumber, topicIndex);
    }
    return entryInput(run, topicIndex);
  });
  const encoder = new TextEncoder();
  const groups = draft.groups.map(({ group }) => encoder.encode(JSON.stringify(group)));
  return { ...head, topics, entries, groups };
}

function entryInput(run: Run, topicIndex: number): EntryInput {
  const first = firstBatch(run);
  const last = run.batches[run.batches.length - 1] ?? first;
  const idempotent = first.header.producerId >= 0;
  return {
    topicIndex,
    partition: first.partition,
    groupIndex: run.groupIndex,
    batches: run.batches.map(({ bytes, header }) => ({
      bytes,
      recordCount: header.recordCount,
      maxTimestamp: header.maxTimestamp,
    })),
    producerId: first.header.producerId,
    producerEpoch: first.header.producerEpoch,
    firstSequence: idempotent ? first.header.baseSequence : -1,
    lastSequence: idempotent ? lastSequenceOf(last) : -1,
  };
}

function firstBatch(run: Run) {
  return run.batches[0] as Run["batches"][number];
}
