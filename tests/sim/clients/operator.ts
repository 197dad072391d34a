/**
 * Somebody who changes topics while they are used: adds partitions, deletes records, turns retention
 * on, deletes a topic and makes it anew, and has the collector run at odd moments.
 */
import { isStreamError } from "../../../src/base/stream-error.ts";
import type { Log } from "../../../src/log/log.ts";
import type { Dice } from "../dice.ts";
import { isActive, linkToAny, type RunContext } from "../run-context.ts";

export interface OperatorOptions {
  readonly dice: Dice;
  readonly pauseMsMax: number;
}

export class Operator {
  readonly #context: RunContext;
  readonly #options: OperatorOptions;
  readonly #generation: number;

  constructor(context: RunContext, options: OperatorOptions) {
    this.#context = context;
    this.#options = options;
    this.#generation = context.generation;
  }

  async run(): Promise<void> {
    const { dice, pauseMsMax } = this.#options;
    while (isActive(this.#context, this.#generation)) {
      await this.#context.world.sleep(dice.below(pauseMsMax));
      const topic = dice.pick(this.#context.topics);
      const act = this.#act(topic);
      try {
        await linkToAny(this.#context, dice).call(act, 5_000);
      } catch (error) {
        this.#context.world.note(`operator: ${String(error)}`);
        if (isStreamError(error) && error.kind === "corrupt") {
          this.#context.world.violate(`operator: ${error.message}`);
        }
      }
    }
  }

  #act(topic: string): (log: Log) => Promise<unknown> {
    const { dice } = this.#options;
    const general: ((log: Log) => Promise<unknown>)[] = [
      (log) => log.maintenance.run(),
      (log) => log.maintenance.collectOrphans(),
      (log) => this.#addPartition(log, topic),
      (log) => log.topics.list(),
    ];
    if (topic === "trimmed") {
      const share = dice.random.uniform();
      const bytes = dice.between(0, 20_000);
      return dice.pick([
        ...general,
        (log: Log) => this.#deleteRecords(log, share),
        (log: Log) => this.#deleteRecords(log, share),
        (log: Log) => this.#limitBytes(log, bytes),
      ]);
    }
    if (topic === "churn") {
      const act = (log: Log) => this.#remake(log);
      return dice.pick([...general, act, act]);
    }
    return dice.pick(general);
  }

  async #addPartition(log: Log, name: string): Promise<void> {
    const topic = await log.topics.byName(name);
    if (topic === undefined || topic.partitionCount >= 4) return;
    await log.topics.addPartitions(topic.topicId, topic.partitionCount + 1);
  }

  async #deleteRecords(log: Log, share: number): Promise<void> {
    const topic = await log.topics.byName("trimmed");
    if (topic === undefined) return;
    const history = this.#context.history.of(topic.topicId, 0);
    const before = Math.floor(history.end * share);
    history.startMax = Math.max(history.startMax, before);
    this.#context.world.note(`operator deletes ${history.name} before ${before}`);
    const start = await log.deleteRecords(topic, 0, before);
    if (start < before) this.#context.world.violate(`records deleted to ${start}, not ${before}`);
  }

  async #limitBytes(log: Log, bytes: number): Promise<void> {
    const topic = await log.topics.byName("trimmed");
    if (topic === undefined) return;
    this.#context.history.trimmed(topic.topicId);
    await log.topics.alterConfig(topic.topicId, { "retention.bytes": String(bytes) });
  }

  async #remake(log: Log): Promise<void> {
    const topic = await log.topics.byName("churn");
    if (topic !== undefined) await log.topics.delete(topic.topicId);
    await log.topics.create({
      name: "churn",
      partitionCount: 2,
      replicationFactor: -1,
      config: {},
    });
  }
}
