/**
 * A producer as Kafka's clients are with enable.idempotence: batches with sequence numbers, up to
 * five in flight on one connection, sent again in order after any failure, to the same worker or to
 * another. Every record of it must be in the log once, in order, and all of them in the end.
 */
import { isStreamError } from "../../../src/base/stream-error.ts";
import type { Appended } from "../../../src/log/log-types.ts";
import type { ClientLink } from "../client-link.ts";
import type { Dice } from "../dice.ts";
import { encodeSent, type SentBatch, type SentRecord } from "../record-values.ts";
import { isActive, linkToAny, mayFinish, type RunContext } from "../run-context.ts";

export interface IdempotentProducerOptions {
  readonly producerId: number;
  readonly topic: string;
  readonly partition: number;
  readonly dice: Dice;
  readonly recordBytesMax: number;
  readonly pauseMsMax: number;
}

interface Pending {
  readonly batch: SentBatch;
  readonly ids: readonly string[];
  answer: "none" | "acked" | "failed";
}

/** What a client does about an error. */
type Verdict = "acked" | "again" | "over" | "lost";

export class IdempotentProducer {
  readonly name: string;
  /** In the order in which they were sent, without those of topics that are gone. */
  readonly sentIds: string[] = [];
  topicId: string | undefined;
  readonly partition: number;
  readonly #context: RunContext;
  readonly #options: IdempotentProducerOptions;
  readonly #generation: number;
  readonly #window: number;
  #pending: Pending[] = [];
  #epoch = 0;
  #sequence = 0;
  #made = 0;
  #over = false;
  #isLost = false;

  constructor(context: RunContext, options: IdempotentProducerOptions) {
    this.#context = context;
    this.#options = options;
    this.#generation = context.generation;
    this.#window = options.dice.between(1, 5);
    this.partition = options.partition;
    this.name = `idempotent-${options.producerId}`;
  }

  /** True when everything that was sent was acknowledged, or the topic has gone. */
  get isDone(): boolean {
    return this.#over || this.#pending.length === 0;
  }

  async run(): Promise<void> {
    const { dice, pauseMsMax } = this.#options;
    let link = linkToAny(this.#context, dice);
    while (!this.#over) {
      const active = isActive(this.#context, this.#generation);
      if (!mayFinish(this.#context, this.#generation)) return;
      if (!active && this.#pending.length === 0) return;
      if (active) this.#makeBatches();
      if (this.#pending.length > 0) await this.#sendAll(link);
      if (this.#pending.length > 0 || dice.chance(0.1)) link = linkToAny(this.#context, dice);
      if (this.#pending.length === 0 && dice.chance(0.05)) this.#raiseEpoch();
      await this.#context.world.sleep(dice.below(pauseMsMax + 1));
    }
  }

  #raiseEpoch(): void {
    this.#epoch += 1;
    this.#sequence = 0;
  }

  #makeBatches(): void {
    const { dice, producerId, partition, recordBytesMax } = this.#options;
    while (this.#pending.length < this.#window) {
      const records: SentRecord[] = [];
      const ids: string[] = [];
      for (let count = dice.between(1, 4); count > 0; count--) {
        const id = `!i${producerId}.${this.#made++}`;
        this.#context.history.sent(id);
        ids.push(id);
        records.push({ id, bytes: dice.between(24, recordBytesMax) });
      }
      this.#pending.push({
        ids,
        answer: "none",
        batch: {
          partition,
          records,
          timestamp: this.#context.world.time.clock.now(),
          producer: { id: producerId, epoch: this.#epoch, sequence: this.#sequence },
        },
      });
      this.sentIds.push(...ids);
      this.#sequence += records.length;
    }
  }

  /** Sends everything pending in order and waits until each has an answer or none is expected. */
  async #sendAll(link: ClientLink): Promise<void> {
    await Promise.all(this.#pending.map((pending) => this.#send(link, pending)));
    if (this.#isLost) {
      // As Java's client does: its place is gone, so it begins anew, and gives up what is open.
      this.#isLost = false;
      this.#pending = [];
      this.#raiseEpoch();
    }
    while (this.#pending[0]?.answer === "acked") this.#pending.shift();
    // What failed first makes what followed it fail too; all is sent again, in order.
    for (const pending of this.#pending) if (pending.answer === "failed") pending.answer = "none";
  }

  async #send(link: ClientLink, pending: Pending): Promise<void> {
    const { world } = this.#context;
    if (pending.answer === "acked") return;
    const isHead = this.#pending[0] === pending;
    try {
      const { appended, topicId } = await link.call(async (log) => {
        const { appending, topicId } = await link.inOrder(async () => {
          const topic = await log.topics.byName(this.#options.topic);
          if (topic === undefined || topic.partitionCount <= this.partition) throw new TopicGone();
          const { topicId } = topic;
          if (this.topicId !== undefined && this.topicId !== topicId) throw new TopicGone();
          const appending = log.append(encodeSent(world, topic, pending.batch));
          // It may be refused before anybody waits for it.
          appending.catch(() => {});
          return { appending, topicId };
        });
        return { appended: await appending, topicId };
      });
      this.topicId ??= topicId;
      this.#acked(pending, appended);
    } catch (error) {
      const verdict = this.#judge(error, isHead);
      world.note(`${this.name} ${pending.batch.producer?.sequence}: ${String(error)} → ${verdict}`);
      if (verdict === "over") this.#over = true;
      this.#isLost ||= verdict === "lost";
      pending.answer = verdict === "acked" ? "acked" : "failed";
    }
  }

  #acked(pending: Pending, appended: Appended): void {
    const { history } = this.#context;
    pending.answer = "acked";
    if (this.#generation !== this.#context.generation || this.topicId === undefined) return;
    history.acked(
      { topicId: this.topicId, partition: this.partition, by: this.name },
      { ...appended, ids: pending.ids },
    );
  }

  /** A cut may have taken what was acknowledged. */
  #wasCut(): boolean {
    if (this.topicId === undefined) return false;
    return this.#context.history.of(this.topicId, this.partition).cuts.length > 0;
  }

  #judge(error: unknown, isHead: boolean): Verdict {
    if (error instanceof TopicGone) return "over";
    if (!isStreamError(error)) return "again";
    switch (error.code) {
      // Published before, its offset forgotten: an acknowledgement without an offset.
      case "sequence_duplicate":
        return "acked";
      case "topic_unknown":
      case "topic_id_unknown":
      case "partition_unknown":
        return "over";
      case "sequence_out_of_order":
        if (isHead && this.#wasCut()) return "lost";
        // The first batch without an answer follows all that were acknowledged.
        if (isHead && this.#generation === this.#context.generation) {
          this.#context.world.violate(`${this.name}: its next batch is called out of order`);
        }
        return "again";
      case "producer_fenced":
      case "corrupt_record":
      case "corrupt_segment":
      case "invalid_record":
        this.#context.world.violate(`${this.name}: ${error.message}`);
        return "over";
      default:
        return "again";
    }
  }
}

class TopicGone extends Error {}
