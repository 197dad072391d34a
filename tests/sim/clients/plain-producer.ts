/** A producer without sequences: what it was not acknowledged it sends again; at least once. */
import { isStreamError } from "../../../src/base/stream-error.ts";
import type { Dice } from "../dice.ts";
import { encodeSent, type SentRecord } from "../record-values.ts";
import { isActive, linkToAny, mayFinish, type RunContext } from "../run-context.ts";

export interface PlainProducerOptions {
  readonly name: string;
  readonly topic: string;
  readonly dice: Dice;
  readonly recordBytesMax: number;
  readonly pauseMsMax: number;
}

const attemptsMax = 6;

export class PlainProducer {
  readonly name: string;
  readonly #context: RunContext;
  readonly #options: PlainProducerOptions;
  readonly #generation: number;
  #made = 0;

  constructor(context: RunContext, options: PlainProducerOptions) {
    this.#context = context;
    this.#options = options;
    this.#generation = context.generation;
    this.name = options.name;
  }

  async run(): Promise<void> {
    const { dice, pauseMsMax } = this.#options;
    while (isActive(this.#context, this.#generation)) {
      await this.#produce();
      await this.#context.world.sleep(dice.below(pauseMsMax + 1));
    }
  }

  async #produce(): Promise<void> {
    const { dice, recordBytesMax } = this.#options;
    const { history } = this.#context;
    const records: SentRecord[] = [];
    for (let count = dice.between(1, 3); count > 0; count--) {
      const id = `${this.name}.${this.#made++}`;
      history.sent(id);
      records.push({ id, bytes: dice.between(24, recordBytesMax) });
    }
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      if (!mayFinish(this.#context, this.#generation)) return;
      if (await this.#attempt(records)) return;
      await this.#context.world.sleep(dice.below(200));
    }
  }

  async #attempt(records: readonly SentRecord[]): Promise<boolean> {
    const { dice, topic: name } = this.#options;
    const { world, history } = this.#context;
    const draw = dice.random.uniform();
    try {
      const acked = await linkToAny(this.#context, dice).call(async (log) => {
        const topic = await log.topics.byName(name);
        if (topic === undefined) return undefined;
        const partition = Math.floor(draw * topic.partitionCount);
        const timestamp = world.time.clock.now();
        const batch = encodeSent(world, topic, { partition, records, timestamp });
        const { baseOffset, leaderEpoch } = await log.append(batch);
        return { topicId: topic.topicId, partition, baseOffset, leaderEpoch };
      });
      if (acked === undefined) return true;
      if (this.#generation !== this.#context.generation) return true;
      const { topicId, partition, ...place } = acked;
      const ids = records.map(({ id }) => id);
      history.acked({ topicId, partition, by: this.name }, { ...place, ids });
      return true;
    } catch (error) {
      world.note(`${this.name}: ${String(error)}`);
      if (isStreamError(error) && error.kind === "corrupt") world.violate(error.message);
      return false;
    }
  }
}
