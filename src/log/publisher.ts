/**
 * Publishes written segments in the order in which they were sealed. One publish is on its way at a
 * time; what queued up behind it is merged into the next. A publish whose reply is lost is sent
 * again, the same, until its stored receipt comes back: no later one of this worker starts before.
 */
import type { Counter, Histogram, Metrics } from "../base/metrics.ts";
import type { Platform } from "../base/platform.ts";
import { isStreamError, StreamError } from "../base/stream-error.ts";
import { publish } from "../meta/publish.ts";
import type { PublishEntry, PublishReceipt, PublishRequest } from "../meta/publish-request.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { FailedSequences } from "./failed-sequences.ts";
import type { Flight } from "./flight.ts";
import type { AppendBatch } from "./log-types.ts";
import { lastSequenceOf, type Run } from "./segment-draft.ts";

/** Segments merged into one transaction at most. */
const mergedMax = 8;

/** Backoff between attempts at one publish, milliseconds, with full jitter. */
const backoffMs = { first: 20, max: 2000 };

export interface PublisherParts {
  readonly platform: Platform;
  readonly metrics: Metrics;
  readonly database: SqlDatabase;
  /** Called in publish order, before the appends settle. */
  readonly onPublished: (flight: Flight, receipt: PublishReceipt) => void;
  /** This worker's epoch was closed by a peer: nothing more of it will ever be published. */
  readonly onFenced: (workerEpoch: number) => void;
}

interface Announced {
  readonly flight: Flight;
  readonly landed: () => void;
}

export class Publisher {
  /** Whoever refuses an append before it is announced notes it here. */
  readonly failed = new FailedSequences();
  readonly #parts: PublisherParts;
  readonly #seconds: Histogram;
  readonly #retries: Counter;
  readonly #stop = new AbortController();
  #queue: Announced[] = [];
  #busy = false;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#seconds = parts.metrics.histogram({
      name: "millrace_publish_duration_seconds",
      help: "Time to publish segments in the metadata database.",
    });
    this.#retries = parts.metrics.counter({
      name: "millrace_publish_retries_total",
      help: "Publishes sent again because their answer was lost.",
    });
  }

  /** Takes a place in the order for `flight`; `landed` is called when it has settled. */
  announce(flight: Flight, landed: () => void): void {
    this.#queue.push({ flight, landed });
  }

  /** Call when a flight has been written or has failed. */
  advance(): void {
    if (this.#busy) return;
    const ready = this.#takeReady();
    if (ready.length === 0) return;
    this.#busy = true;
    void this.#publish(ready).finally(() => {
      this.#busy = false;
      this.advance();
    });
  }

  /** Stops sending again; what is on its way ends as an error of unknown outcome. */
  abandon(): void {
    this.#stop.abort();
  }

  /** The written flights at the front of the queue; failed ones leave it. */
  #takeReady(): Announced[] {
    const ready: Announced[] = [];
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (next.flight.failed) {
        this.#queue.shift();
        for (const append of next.flight.draft.taken) this.failed.add(append);
        next.landed();
        continue;
      }
      if (next.flight.location === undefined || ready.length === mergedMax) break;
      this.#queue.shift();
      ready.push(next);
    }
    return ready;
  }

  async #publish(ready: readonly Announced[]): Promise<void> {
    const { clock, log } = this.#parts.platform;
    const requests = ready.map(({ flight }) => publishRequest(flight, this.failed));
    const startedAt = clock.monotonic();
    try {
      const results = await this.#untilAnswered(requests);
      this.#seconds.observe((clock.monotonic() - startedAt) / 1000);
      results.forEach((result, index) => {
        const { flight } = ready[index] as Announced;
        if (isStreamError(result)) this.#refused(flight, result);
        else {
          this.#settleProducers(flight, result);
          this.#parts.onPublished(flight, result);
        }
      });
    } catch (error) {
      log.error("publish failed", { error: String(error) });
      const known = isStreamError(error)
        ? error
        : new StreamError("metadata_unavailable", "Cannot publish", { cause: error });
      for (const { flight } of ready) this.#refuseAll(flight, known);
    } finally {
      for (const { landed } of ready) landed();
    }
  }

  async #untilAnswered(requests: readonly PublishRequest[]) {
    const { platform, database } = this.#parts;
    let delayMs = backoffMs.first;
    for (;;) {
      try {
        return await publish(database, requests);
      } catch (error) {
        if (!isStreamError(error, "metadata_unavailable") || this.#stop.signal.aborted) throw error;
        this.#retries.add();
        platform.log.warn("publish unanswered, sending again", { error: error.message });
        await platform.timers.sleep(platform.random.uniform() * delayMs, this.#stop.signal);
        delayMs = Math.min(delayMs * 2, backoffMs.max);
      }
    }
  }

  #refused(flight: Flight, error: StreamError): void {
    this.#refuseAll(flight, error);
    if (error.code === "worker_fenced") this.#parts.onFenced(flight.workerEpoch);
  }

  #refuseAll(flight: Flight, error: StreamError): void {
    for (const append of flight.draft.taken) {
      this.failed.add(append);
      append.reject(error);
    }
  }

  #settleProducers({ draft }: Flight, { entries, groups }: PublishReceipt): void {
    if (this.failed.isEmpty) return;
    draft.groups.forEach(({ group }, index) => {
      if (groups[index]?.code === "ok") this.failed.settleGroup(group);
    });
    draft.runs.forEach(({ batches: [first] }, index) => {
      if (first !== undefined && entries[index]?.code === "ok") this.failed.settle(first);
    });
  }
}

function publishRequest(flight: Flight, failed: FailedSequences): PublishRequest {
  const { workerEpoch, sequence, draft, encoded, location } = flight;
  const start = location?.position ?? 0;
  return {
    workerEpoch,
    sequence,
    location: location ?? null,
    entries: draft.runs.map((run, index) => {
      const entry = encoded.entries[index];
      const mustBeKnown = !failed.isEmpty && failed.precede(firstBatch(run));
      return publishEntry(run, {
        mustBeKnown,
        position: start + (entry?.position ?? 0),
        length: entry?.length ?? 0,
        recordCount: entry?.recordCount ?? 0,
        maxTimestamp: entry?.maxTimestamp ?? -1,
        minTimestamp: minTimestampOf(run),
      });
    }),
    groups: draft.groups.map(({ group }) => (failed.isEmpty ? group : failed.mark(group))),
  };
}

function minTimestampOf({ batches }: Run): number | null {
  let least = Number.POSITIVE_INFINITY;
  for (const { header, minTimestamp } of batches) {
    // The greatest time is the only one of a batch of one, and of all where the log gives it.
    const isOne = header.recordCount === 1 || header.timestampType === "LogAppendTime";
    const known = minTimestamp ?? (isOne ? header.maxTimestamp : null);
    if (known === null) return null;
    least = Math.min(least, known);
  }
  return least;
}

function publishEntry(
  run: Run,
  what: Omit<PublishEntry, "group" | "topicNumber" | "partition" | "producer"> & {
    readonly mustBeKnown: boolean;
  },
): PublishEntry {
  const { mustBeKnown, ...place } = what;
  const first = firstBatch(run);
  const { producerId, producerEpoch, baseSequence } = first.header;
  let recordCount = 0;
  let length = 0;
  const batches = run.batches.map((batch) => {
    recordCount += batch.header.recordCount;
    length += batch.bytes.length;
    return [lastSequenceOf(batch), recordCount, length] as const;
  });
  const lastSequence = batches[batches.length - 1]?.[0] ?? baseSequence;
  return {
    group: run.groupIndex,
    topicNumber: first.topic.topicNumber,
    partition: first.partition,
    ...place,
    producer:
      producerId < 0
        ? null
        : {
            id: producerId,
            epoch: producerEpoch,
            firstSequence: baseSequence,
            lastSequence,
            batches,
            mustBeKnown,
          },
  };
}

function firstBatch(run: Run): AppendBatch {
  return run.batches[0] as AppendBatch;
}
