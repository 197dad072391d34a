/**
 * Which batches of idempotent producers this worker has refused or failed to store, so that what
 * the producer sent behind them is not taken for its beginning. A producer that the metadata does
 * not know may start anywhere (its state may have expired); but when its first batch fails while
 * the next is on the way already, the next must not become the first: the retry of the real first
 * one would then pass for a duplicate and be lost. Runs that follow a failed batch are therefore
 * marked, and publish takes a marked run only if it knows the producer.
 */
import type { AppendBatch } from "./log-types.ts";
import { type PendingAppend, producerKey } from "./pending-append.ts";

interface FailedBatch {
  readonly producerEpoch: number;
  readonly sequence: number;
}

/** Producers remembered; a failure concerns those that have batches in flight at one time. */
const producersMax = 10_000;

export class FailedSequences {
  readonly #byProducer = new Map<string, FailedBatch>();

  get isEmpty(): boolean {
    return this.#byProducer.size === 0;
  }

  /** Notes the batches of appends that were refused. Call in the order of their arrival. */
  add(append: PendingAppend): void {
    for (const batch of append.batches) {
      if (batch.header.producerId >= 0) this.#note(producerKey(batch), batch);
    }
  }

  /** Whether the run that begins with `batch` stands behind one that failed. */
  precede(batch: AppendBatch): boolean {
    const failed = this.#byProducer.get(producerKey(batch));
    if (failed === undefined) return false;
    const { producerEpoch, baseSequence } = batch.header;
    return failed.producerEpoch === producerEpoch && isAfter(baseSequence, failed.sequence);
  }

  /** The metadata knows this batch's producer now and judges what follows by itself. */
  settle(batch: AppendBatch): void {
    this.#byProducer.delete(producerKey(batch));
  }

  #note(key: string, { header }: AppendBatch): void {
    const { producerEpoch, baseSequence: sequence } = header;
    const failed = this.#byProducer.get(key);
    const isKnown = failed?.producerEpoch === producerEpoch && !isAfter(failed.sequence, sequence);
    if (isKnown) return;
    this.#byProducer.delete(key);
    this.#byProducer.set(key, { producerEpoch, sequence });
    if (this.#byProducer.size <= producersMax) return;
    for (const oldest of this.#byProducer.keys()) {
      this.#byProducer.delete(oldest);
      return;
    }
  }
}

/** int32 sequences wrap to 0 (KIP-98): the nearer way round decides. */
function isAfter(sequence: number, other: number): boolean {
  const distance = (sequence - other) & 0x7fffffff;
  return distance !== 0 && distance < 0x40000000;
}
