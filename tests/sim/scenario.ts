/**
 * One run: a seed chooses the cast (workers, store, policies, clients) and everything that happens.
 * The active phase is full of faults; then all heals, clients finish what they began, and the log,
 * the index and the store are held against what is known.
 */

import { checkFinalLog, checkGroups, checkOrder, readFinalLog } from "./checkers/final-log.ts";
import { History } from "./checkers/history.ts";
import {
  checkGarbage,
  checkIndex,
  checkProofs,
  checkPublishOrder,
  checkReceipts,
  publishedSegments,
} from "./checkers/stored-objects.ts";
import { Consumer } from "./clients/consumer.ts";
import { HttpProducer } from "./clients/http-producer.ts";
import { IdempotentProducer } from "./clients/idempotent-producer.ts";
import { Operator } from "./clients/operator.ts";
import { PlainProducer } from "./clients/plain-producer.ts";
import { calm, type FaultRates } from "./fault-rates.ts";
import { Nemesis } from "./nemesis.ts";
import type { RunContext } from "./run-context.ts";
import { SimulatedDatabase } from "./simulated-database.ts";
import { SimulatedWorker } from "./simulated-worker.ts";
import { type Stage, stageOf } from "./stage.ts";
import { World } from "./world.ts";

export interface RunResult {
  readonly seed: number;
  readonly kind: string;
  readonly violations: readonly string[];
  /** Equal for two runs of one seed, or something in the code draws from elsewhere. */
  readonly digest: string;
  readonly eventCount: number;
  readonly ackedCount: number;
  readonly seenCount: number;
  readonly virtualMs: number;
}

/** A run that takes longer than this has come to a standstill. */
const virtualMsMax = 200_000;

/** What clients may take to finish once all faults have ended. */
const finishMsMax = 60_000;

export async function runScenario(seed: number, show?: (line: string) => void): Promise<RunResult> {
  const world = new World({ seed, show });
  const scenario = new Scenario(world);
  let ended = false;
  const run = scenario
    .run()
    .catch((error: unknown) => world.violate(`the run broke off: ${describe(error)}`))
    .finally(() => {
      ended = true;
    });
  while (!ended && world.now < virtualMsMax) await world.time.advance(250);
  if (ended) await run;
  else world.violate("the run does not come to its end");
  scenario.close();
  return {
    seed,
    kind: scenario.kind,
    violations: world.violations,
    digest: world.trace.digest,
    eventCount: world.trace.count,
    ackedCount: scenario.history.ackedCount,
    seenCount: scenario.history.seenCount,
    virtualMs: world.now,
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

class Scenario {
  readonly history: History;
  readonly #world: World;
  readonly #stage: Stage;
  readonly #database: SimulatedDatabase;
  readonly #workers: SimulatedWorker[] = [];
  readonly #context: RunContext;
  readonly #producers: IdempotentProducer[] = [];
  readonly #requests: HttpProducer[] = [];
  readonly #clients: Promise<void>[] = [];
  #made = 0;
  /** A power loss took transactions: objects may prove what the database does not know. */
  #databaseForgot = false;

  constructor(world: World) {
    this.#world = world;
    this.history = new History(world);
    this.#stage = stageOf(world);
    const { workerCount, setup, activeMs, losesPower, machinesLosePower } = this.#stage;
    this.#database = new SimulatedDatabase(world, {
      journaled: losesPower,
      onWrite: machinesLosePower ? () => this.#noteCuts() : undefined,
    });
    for (let index = 0; index < workerCount; index++) {
      const parts = { world, dice: world.dice.fork(), database: this.#database, setup };
      this.#workers.push(new SimulatedWorker({ name: `worker-${index + 1}`, ...parts }));
    }
    this.#context = {
      world,
      history: this.history,
      workers: this.#workers,
      topics: this.#stage.topics,
      activeUntil: activeMs,
      generation: 0,
      machinesLosePower,
    };
  }

  get kind(): string {
    return this.#stage.kind;
  }

  async run(): Promise<void> {
    const world = this.#world;
    world.note(`stage: ${this.#stage.kind}`);
    await Promise.all(this.#workers.map((worker) => worker.start()));
    await this.#makeTopics();
    this.#startClients();
    const nemesis = this.#nemesis();
    await nemesis.run();
    await nemesis.heal();
    await this.#finish();
    if (world.violations.length > 0) return;
    await this.#checkLog();
    if (world.violations.length > 0) return;
    await this.#checkStore();
  }

  close(): void {
    for (const worker of this.#workers) worker.gate?.kill();
    this.#database.close();
  }

  async #makeTopics(): Promise<void> {
    const [first] = this.#workers;
    for (const name of this.#stage.topics) {
      const partitionCount = this.#world.dice.between(1, 3);
      await first?.log?.topics.create({ name, partitionCount, replicationFactor: -1, config: {} });
    }
  }

  #startClients(): void {
    const { world } = this.#context;
    const { topics, recordBytesMax, pauseMsMax } = this.#stage;
    const common = () => ({ recordBytesMax, pauseMsMax, dice: world.dice.fork() });
    const run = (client: { run(): Promise<void> }) => {
      this.#clients.push(
        client.run().catch((error: unknown) => {
          world.violate(`a client broke off: ${describe(error)}`);
        }),
      );
    };
    for (const topic of topics) {
      for (let count = world.dice.between(1, 2); count > 0; count--) {
        const producerId = 1000 + this.#made++;
        const partition = world.dice.below(2);
        const options = { producerId, topic, partition, ...common() };
        const producer = new IdempotentProducer(this.#context, options);
        this.#producers.push(producer);
        run(producer);
      }
      const request = new HttpProducer(this.#context, {
        name: `http-${this.#made++}`,
        topic,
        ...common(),
      });
      this.#requests.push(request);
      run(request);
      run(new PlainProducer(this.#context, { name: `plain-${this.#made++}`, topic, ...common() }));
      for (let count = world.dice.between(1, 2); count > 0; count--) {
        const name = `consumer-${this.#made++}`;
        run(new Consumer(this.#context, { name, topic, dice: world.dice.fork() }));
      }
    }
    run(new Operator(this.#context, { dice: world.dice.fork(), pauseMsMax: 1_500 }));
  }

  #nemesis(): Nemesis {
    const { faults, activeMs, losesPower, strikePauseMsMax, machinesLosePower } = this.#stage;
    const { disk } = this.#stage;
    return new Nemesis({
      world: this.#world,
      dice: this.#world.dice.fork(),
      workers: this.#workers,
      base: faults satisfies FaultRates,
      until: activeMs,
      pauseMsMax: strikePauseMsMax,
      losePower: losesPower ? () => this.#losePower() : undefined,
      losePowerOf: machinesLosePower ? ({ name }) => disk?.losePower(name) : undefined,
    });
  }

  /** The machine goes dark with all that runs on it, clients included, and comes back. */
  async #losePower(): Promise<void> {
    const world = this.#world;
    const { disk, fsync } = this.#stage;
    for (const worker of this.#workers) worker.kill();
    this.#context.generation += 1;
    await Promise.all(this.#clients.splice(0));
    disk?.losePower();
    const lostMax = fsync || world.dice.chance(0.6) ? 0 : 20;
    const lost = Math.min(world.dice.between(0, lostMax), this.#database.transactionCount - 20);
    world.note(`the database loses ${Math.max(0, lost)} transactions`);
    this.#database.losePower(Math.max(0, lost));
    this.#databaseForgot ||= lost > 0;
    const { faults } = world;
    world.faults = calm;
    await Promise.all(this.#workers.map((worker) => worker.start()));
    if (!fsync) await this.#takeLosses();
    world.faults = faults;
    this.#startClients();
  }

  /** A leader epoch that rises is a cut: nothing else raises one. */
  #noteCuts(): void {
    const sql = `SELECT t.topic_id, p.partition, p.leader_epoch, p.next_offset
FROM topic_partition p JOIN topic t ON t.topic_number = p.topic_number
WHERE p.leader_epoch > 0 AND p.deleted = 0 ORDER BY p.topic_number, p.partition`;
    for (const row of this.#database.execute([{ sql, args: [] }], "read")[0]?.rows ?? []) {
      const place = { topicId: String(row[0]), partition: Number(row[1]) };
      const leaderEpoch = Number(row[2]);
      const known = this.history.of(place.topicId, place.partition).cuts.at(-1)?.leaderEpoch ?? 0;
      if (leaderEpoch > known) this.history.cutAlive(place, { end: Number(row[3]), leaderEpoch });
    }
  }

  /** With fsync off what was acknowledged last may be gone; what is left must still be right. */
  async #takeLosses(): Promise<void> {
    const log = this.#workers[0]?.log;
    const topics = (await log?.topics.list()) ?? [];
    for (const { topicId, partition } of this.history.keys()) {
      const topic = topics.find((each) => each.topicId === topicId);
      const exists = topic !== undefined && partition < topic.partitionCount;
      const found = exists ? await log?.findOffset(topic, partition, "latest") : undefined;
      this.history.cut(topicId, partition, found?.offset ?? 0);
    }
  }

  async #finish(): Promise<void> {
    const world = this.#world;
    let finished = false;
    void Promise.all(this.#clients).then(() => {
      finished = true;
    });
    const until = world.now + finishMsMax;
    while (!finished && world.now < until && world.violations.length === 0) await world.sleep(100);
    if (finished || world.violations.length > 0) return;
    const waiting = [...this.#producers, ...this.#requests].filter(({ isDone }) => !isDone);
    world.violate(`clients get no answer for ever: ${waiting.map(({ name }) => name).join(" ")}`);
  }

  async #checkLog(): Promise<void> {
    const parts = { world: this.#world, history: this.history, workers: this.#workers };
    const partitions = await readFinalLog(parts);
    if (this.#world.violations.length > 0) return;
    checkFinalLog(parts, partitions);
    // A power loss with fsync off may have taken a producer's last records, never earlier ones.
    const wasCut = this.#context.generation > 0 && !this.#stage.fsync;
    for (const producer of this.#producers) checkOrder(parts, partitions, { producer, wasCut });
    checkGroups(parts, partitions);
  }

  /** All leave but one, whose collector runs until nothing is left to do. */
  async #checkStore(): Promise<void> {
    const world = this.#world;
    const parts = { world, database: this.#database, store: this.#stage.bareStore };
    await world.sleep(3_000);
    const [last, ...others] = this.#workers;
    for (const worker of others) await worker.stop();
    await last?.stop();
    await last?.start();
    // Peers that were never heard of again are closed by now, and readers' grace is over.
    await world.sleep(5_000);
    const published = publishedSegments(parts, { databaseForgot: this.#databaseForgot });
    await checkReceipts(parts, published);
    world.databaseSkewMs = Math.max(0, world.databaseSkewMs) + 200_000_000;
    for (let round = 0; round < 3; round++) {
      await last?.log?.maintenance.run();
      await last?.log?.maintenance.collectOrphans();
      await world.sleep(6_000);
    }
    await checkProofs(parts, published);
    await checkIndex(parts);
    checkPublishOrder(parts);
    await checkGarbage(parts);
    if (world.violations.length === 0) await this.#checkLogAgain();
  }

  async #checkLogAgain(): Promise<void> {
    const last = this.#workers.slice(0, 1);
    const parts = { world: this.#world, history: this.history, workers: last };
    checkFinalLog(parts, await readFinalLog(parts));
  }
}
