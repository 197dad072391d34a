/**
 * Which batches of idempotent producers, and which requests of HTTP producers, this worker has
 * refused or failed to store, so that what the producer sent behind them is not taken for its
 * beginning. A producer that the metadata does not know may start anywhere (its state may have
 * expired); but when its first batch fails while the next is on the way already, the next must not
 * become the first: the retry of the real first one would then pass for a duplicate and be lost.
 * What follows a failed batch is therefore marked, and publish takes it only if it knows the
 * producer.
 */
import type { PublishEffect, PublishGroup } from "../meta/publish-request.ts";
import type { AppendBatch } from "./log-types.ts";
import { effectKey, type PendingAppend, producerKey } from "./pending-append.ts";

/** A place in the order of one producer. */
interface Place {
  readonly producerEpoch: number;
  readonly sequence: number;
}

type IsAfter = (sequence: number, other: number) => boolean;

/** Producers remembered; a failure concerns those that have batches in flight at one time. */
const producersMax = 10_000;

export class FailedSequences {
  readonly #byProducer = new Map<string, Place>();

  get isEmpty(): boolean {
    return this.#byProducer.size === 0;
  }

  /** Notes what an append that was refused held. Call in the order of their arrival. */
  add(append: PendingAppend): void {
    for (const batch of append.batches) {
      if (batch.header.producerId >= 0) this.#note(producerKey(batch), placeOf(batch), isAfter);
    }
    this.addGroup(append.group);
  }

  /** Notes an HTTP producer's request that was refused. */
  addGroup({ effects }: PublishGroup): void {
    for (const effect of effects) {
      if (effect.kind !== "httpProducer") continue;
      this.#note(effectKey(effect), requestPlace(effect), isGreater);
    }
  }

  /** Whether the run that begins with `batch` stands behind one that failed. */
  precede(batch: AppendBatch): boolean {
    return this.#before(producerKey(batch), placeOf(batch), isAfter) !== undefined;
  }

  /** The group as it is to be judged: what stands behind a failed request says so. */
  mark(group: PublishGroup): PublishGroup {
    if (!group.effects.some(({ kind }) => kind === "httpProducer")) return group;
    const effects = group.effects.map((effect): PublishEffect => {
      if (effect.kind !== "httpProducer") return effect;
      const failed = this.#before(effectKey(effect), requestPlace(effect), isGreater);
      return failed === undefined ? effect : { ...effect, awaitedSequence: failed.sequence };
    });
    return { ...group, effects };
  }

  /** The metadata knows this batch's producer now and judges what follows by itself. */
  settle(batch: AppendBatch): void {
    this.#byProducer.delete(producerKey(batch));
  }

  /** The same for the HTTP producer of a group. */
  settleGroup({ effects }: PublishGroup): void {
    for (const effect of effects) {
      if (effect.kind === "httpProducer") this.#byProducer.delete(effectKey(effect));
    }
  }

  /** The failed place before `place`, in the same epoch of its producer. */
  #before(key: string, place: Place, after: IsAfter): Place | undefined {
    const failed = this.#byProducer.get(key);
    if (failed?.producerEpoch !== place.producerEpoch) return undefined;
    return after(place.sequence, failed.sequence) ? failed : undefined;
  }

  #note(key: string, place: Place, after: IsAfter): void {
    const failed = this.#byProducer.get(key);
    const isKnown =
      failed?.producerEpoch === place.producerEpoch && !after(failed.sequence, place.sequence);
    if (isKnown) return;
    this.#byProducer.delete(key);
    this.#byProducer.set(key, place);
    if (this.#byProducer.size <= producersMax) return;
    for (const oldest of this.#byProducer.keys()) {
      this.#byProducer.delete(oldest);
      return;
    }
  }
}

function placeOf({ header }: AppendBatch): Place {
  return { producerEpoch: header.producerEpoch, sequence: header.baseSequence };
}

function requestPlace(effect: Extract<PublishEffect, { kind: "httpProducer" }>): Place {
  return { producerEpoch: effect.epoch, sequence: effect.sequence };
}

/** Sequences of HTTP requests do not wrap. */
function isGreater(sequence: number, other: number): boolean {
  return sequence > other;
}

/** int32 sequences wrap to 0 (KIP-98): the nearer way round decides. */
function isAfter(sequence: number, other: number): boolean {
  const distance = (sequence - other) & 0x7fffffff;
  return distance !== 0 && distance < 0x40000000;
}
