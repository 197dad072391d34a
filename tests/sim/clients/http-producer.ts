/**
 * An HTTP producer with a sequence per request: each request is one publish group over several
 * partitions, sent again until it is answered. It is in the log once, whole or not at all.
 */
import { isStreamError } from "../../../src/base/stream-error.ts";
import type { AppendedRange } from "../../../src/meta/publish-request.ts";
import type { Dice } from "../dice.ts";
import { encodeSent, type SentRecord } from "../record-values.ts";
import { isActive, linkToAny, mayFinish, type RunContext } from "../run-context.ts";

export interface HttpProducerOptions {
  readonly name: string;
  readonly topic: string;
  readonly dice: Dice;
  readonly recordBytesMax: number;
  readonly pauseMsMax: number;
}

interface Part {
  readonly partition: number;
  readonly records: readonly SentRecord[];
}

interface Answer {
  readonly ranges: readonly (AppendedRange & { readonly leaderEpoch?: number })[];
  readonly topicId: string;
}

export class HttpProducer {
  readonly name: string;
  readonly #context: RunContext;
  readonly #options: HttpProducerOptions;
  readonly #generation: number;
  #topicId: string | undefined;
  #partitionCount = 0;
  #sequence = 0;
  #made = 0;
  #isWaiting = false;
  /** Raised when a cut took requests that were answered: their place in the order is lost. */
  #lives = 0;
  #over = false;

  constructor(context: RunContext, options: HttpProducerOptions) {
    this.#context = context;
    this.#options = options;
    this.#generation = context.generation;
    this.name = options.name;
  }

  get #producerName(): string {
    return this.#lives === 0 ? this.name : `${this.name}~${this.#lives}`;
  }

  get isDone(): boolean {
    return this.#over || !this.#isWaiting;
  }

  async run(): Promise<void> {
    const { dice, pauseMsMax } = this.#options;
    while (isActive(this.#context, this.#generation) && !this.#over) {
      if (this.#topicId === undefined) await this.#learnTopic();
      else await this.#request(this.#topicId);
      await this.#context.world.sleep(dice.below(pauseMsMax + 1));
    }
  }

  async #learnTopic(): Promise<void> {
    try {
      const topic = await linkToAny(this.#context, this.#options.dice).call((log) =>
        log.topics.byName(this.#options.topic),
      );
      this.#topicId = topic?.topicId;
      this.#partitionCount = topic?.partitionCount ?? 0;
    } catch (error) {
      this.#context.world.note(`${this.name}: ${String(error)}`);
    }
  }

  async #request(topicId: string): Promise<void> {
    const parts = this.#makeParts();
    const { history } = this.#context;
    const records = parts.flatMap(({ partition, records }) =>
      records.map(({ id }) => ({ partition, id })),
    );
    for (const { id } of records) history.sent(id);
    history.groups.push({ topicId, records });
    const sequence = this.#sequence++;
    this.#isWaiting = true;
    while (mayFinish(this.#context, this.#generation)) {
      if (await this.#attempt(topicId, parts, sequence)) break;
      await this.#context.world.sleep(this.#options.dice.below(200));
    }
    this.#isWaiting = false;
  }

  #makeParts(): Part[] {
    const { dice, recordBytesMax } = this.#options;
    const parts: Part[] = [];
    for (let partition = 0; partition < this.#partitionCount; partition++) {
      if (dice.chance(0.4)) continue;
      const records: SentRecord[] = [];
      for (let count = dice.between(1, 2); count > 0; count--) {
        const id = `!${this.name}.${this.#made++}`;
        records.push({ id, bytes: dice.between(24, recordBytesMax) });
      }
      parts.push({ partition, records });
    }
    if (parts.length > 0) return parts;
    return [{ partition: 0, records: [{ id: `!${this.name}.${this.#made++}`, bytes: 40 }] }];
  }

  /** True when the request is over: answered, or the topic is gone. */
  async #attempt(topicId: string, parts: readonly Part[], sequence: number): Promise<boolean> {
    const { world } = this.#context;
    try {
      const answer = await linkToAny(this.#context, this.#options.dice).call(
        async (log): Promise<Answer | undefined> => {
          const topic = await log.topics.byName(this.#options.topic);
          if (topic === undefined || topic.topicId !== topicId) return undefined;
          const timestamp = world.time.clock.now();
          const batches = parts.map((part) => encodeSent(world, topic, { ...part, timestamp }));
          const { topicNumber } = topic;
          const { appended, repeated } = await log.appendGroup({
            batches,
            guards: [],
            effects: [
              { kind: "httpProducer", topicNumber, name: this.#producerName, epoch: 0, sequence },
            ],
          });
          const ranges = appended.map(({ baseOffset, leaderEpoch }, index) => ({
            leaderEpoch,
            partition: (parts[index] as Part).partition,
            baseOffset,
            count: (parts[index] as Part).records.length,
          }));
          return { ranges: repeated ?? ranges, topicId };
        },
      );
      if (answer === undefined) this.#over = true;
      else this.#acked(answer, parts);
      return true;
    } catch (error) {
      world.note(`${this.name} ${sequence}: ${String(error)}`);
      return this.#isOver(error);
    }
  }

  #isOver(error: unknown): boolean {
    if (!isStreamError(error)) return false;
    if (error.kind === "missing") {
      this.#over = true;
      return true;
    }
    if (error.kind === "conflict" && this.#wasCut()) {
      this.#lives += 1;
      this.#sequence = 0;
      return true;
    }
    const current = this.#generation === this.#context.generation;
    if (current && (error.kind === "conflict" || error.kind === "corrupt")) {
      this.#context.world.violate(`${this.name}: ${error.code}: ${error.message}`);
    }
    return false;
  }

  #wasCut(): boolean {
    const topicId = this.#topicId;
    if (topicId === undefined) return false;
    for (let partition = 0; partition < this.#partitionCount; partition++) {
      if (this.#context.history.of(topicId, partition).cuts.length > 0) return true;
    }
    return false;
  }

  #acked({ ranges, topicId }: Answer, parts: readonly Part[]): void {
    const { world, history } = this.#context;
    if (this.#generation !== this.#context.generation) return;
    for (const { partition, records } of parts) {
      const range = ranges.find((each) => each.partition === partition);
      if (range === undefined || range.count !== records.length) {
        world.violate(`${this.name} was not told where its records of ${partition} are`);
        return;
      }
      const ids = records.map(({ id }) => id);
      const { baseOffset, leaderEpoch } = range;
      history.acked({ topicId, partition, by: this.name }, { baseOffset, leaderEpoch, ids });
    }
  }
}
