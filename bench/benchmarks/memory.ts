/**
 * That memory is bounded by settings: a crowd of readers that hardly read, and writers that dribble;
 * then writers that send all they may, over Kafka and over HTTP.
 */
import { fetchApi } from "../../src/wire/kafka/api/fetch.ts";
import { encodeRequestFrame } from "../../src/wire/kafka/request-header.ts";
import type { BenchContext, Benchmark } from "../benchmark.ts";
import { withMillrace } from "../support/brokers.ts";
import type { Figure } from "../support/figures.ts";
import { KafkaClient, newTopic } from "../support/kafka-client.ts";
import type { Millrace } from "../support/millrace.ts";
import type { BenchOptions } from "../support/options.ts";
import { residentBytes } from "../support/processes.ts";
import { makeFrame, runProduceLoad } from "../support/produce-load.ts";
import { makeBatch, platform } from "../support/record-batches.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const clientsDefault = 500;
/** More than the cache holds, so that readers make the worker go to the store. */
const datasetBytes = 512 * MiB;
const writtenBatchBytes = 256 * KiB;
/** What a slow writer sends at a time, and how rarely. */
const dribbleBytes = 8 * KiB;
const dribbleMs = 200;
/** A slow reader's socket is open for an instant so rarely. */
const sipMs = 1_000;
const sampleMs = 100;
/** How long a refused HTTP writer waits. */
const retryMs = 500;
/** The goal for a worker that does nothing, and the default of `--queue-bytes`. */
const idleBytes = 150e6;
const queueBytes = 128 * MiB;

export const memoryBenchmark: Benchmark = {
  name: "memory",
  summary: "resident memory with 500 slow readers and 500 slow writers, and with 500 fast writers",
  async run(context) {
    return [
      ...(await slowCrowd(context)),
      await fastWriters(context, "Kafka", kafkaWriters),
      await fastWriters(context, "HTTP", httpWriters),
    ];
  },
};

async function slowCrowd(context: BenchContext): Promise<Figure[]> {
  const { options, say } = context;
  const count = options.connections ?? clientsDefault;
  return await withMillrace(context, {}, async (worker) => {
    const before = (await residentBytes(worker.program.pid)).now;
    const topic = await newTopic(worker, options.partitions);
    say("  writing what will be read");
    await runProduceLoad(worker, {
      ...{ topic, partitions: options.partitions, connections: 1, inFlight: options.inFlight },
      ...{ recordBytes: KiB, batchBytes: 256 * KiB, bytes: datasetBytes },
    });
    const loaded = (await residentBytes(worker.program.pid)).now;
    const crowd = new Crowd(worker, topic, options.partitions);
    say(`  ${count} slow readers and ${count} slow writers`);
    await crowd.join(count);
    const peak = await crowd.watch(options.seconds * options.rounds);
    crowd.leave();
    const setting = options.cacheBytes + 2 * queueBytes;
    return [
      { what: "resident, before", value: before / 1e6, unit: "MB" },
      { what: "resident, after 512 MiB written", value: loaded / 1e6, unit: "MB" },
      {
        what: `resident at most, ${count} slow readers and ${count} slow writers`,
        value: peak / 1e6,
        unit: "MB",
        goal: { atMost: (idleBytes + setting) / 1e6 },
        note: "the goal: idle, cache, requests and answers under way, as the settings bound them",
      },
    ];
  });
}

type Load = (worker: Millrace, options: BenchOptions) => Promise<void>;

/** A worker of their own, which they keep as busy as they can. */
async function fastWriters(context: BenchContext, name: string, load: Load): Promise<Figure> {
  const { options, say } = context;
  return await withMillrace(context, {}, async (worker) => {
    const count = options.connections ?? clientsDefault;
    say(`  ${count} fast writers over ${name}`);
    let most = 0;
    let isOver = false;
    const watching = (async () => {
      for (; !isOver; await Bun.sleep(sampleMs)) {
        most = Math.max(most, (await residentBytes(worker.program.pid)).now);
      }
    })();
    await load(worker, { ...options, connections: count });
    isOver = true;
    await watching;
    return {
      what: `resident at most, ${count} fast writers over ${name}`,
      value: most / 1e6,
      unit: "MB",
      goal: { atMost: (idleBytes + options.cacheBytes + 2.5 * queueBytes) / 1e6 },
      note: "the goal: the formula of docs/OPERATIONS.md",
    };
  });
}

/** Whole requests of 256 KiB, five under way on each connection. */
async function kafkaWriters(worker: Millrace, options: BenchOptions): Promise<void> {
  const { partitions, inFlight, seconds, rounds } = options;
  await runProduceLoad(worker, {
    ...{ topic: await newTopic(worker, partitions), partitions, inFlight },
    connections: options.connections ?? clientsDefault,
    ...{ recordBytes: KiB, batchBytes: 256 * KiB, seconds: (seconds * rounds) / 2 },
  });
}

/** Bodies of 1 MiB in short lines, which weigh most while they are taken apart. */
async function httpWriters(worker: Millrace, options: BenchOptions): Promise<void> {
  const topic = await newTopic(worker, options.partitions);
  const url = `${worker.httpUrl}/v1/topics/${topic}/records`;
  const line = `${JSON.stringify({ value: "x".repeat(16) })}\n`;
  const body = new TextEncoder().encode(line.repeat(MiB / line.length));
  const headers = { "Content-Type": "application/x-ndjson" };
  const deadline = performance.now() + (options.seconds * options.rounds * 1000) / 2;
  const writer = async () => {
    while (performance.now() < deadline) {
      const answer = await fetch(url, { method: "POST", headers, body });
      await answer.arrayBuffer();
      if (answer.status === 429) await Bun.sleep(retryMs * (0.5 + platform.random.uniform()));
      else if (!answer.ok) throw new Error(`The worker answered ${answer.status}`);
    }
  };
  await Promise.all(Array.from({ length: options.connections ?? clientsDefault }, writer));
}

class Crowd {
  readonly #worker: Millrace;
  readonly #topic: string;
  readonly #partitions: number;
  readonly #clients: KafkaClient[] = [];
  readonly #timers: Timer[] = [];

  constructor(worker: Millrace, topic: string, partitions: number) {
    this.#worker = worker;
    this.#topic = topic;
    this.#partitions = partitions;
  }

  async join(count: number): Promise<void> {
    const frames = Array.from({ length: this.#partitions }, (_, partition) => {
      const batch = makeBatch({ recordBytes: KiB, batchBytes: writtenBatchBytes }, -1);
      return makeFrame(this.#topic, partition, batch.bytes).bytes;
    });
    for (let number = 0; number < count; number++) {
      await this.#addReader(number % this.#partitions);
      await this.#addWriter(frames[number % frames.length] ?? new Uint8Array(0));
    }
  }

  /** Resolves to the most that the worker held meanwhile, bytes. */
  async watch(seconds: number): Promise<number> {
    const deadline = performance.now() + seconds * 1000;
    let most = 0;
    while (performance.now() < deadline) {
      most = Math.max(most, (await residentBytes(this.#worker.program.pid)).now);
      await Bun.sleep(sampleMs);
    }
    return most;
  }

  leave(): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const client of this.#clients) client.close();
  }

  async #add(): Promise<KafkaClient> {
    const client = await KafkaClient.connect(this.#worker);
    this.#clients.push(client);
    return client;
  }

  /** Asks for as much as it may get, again and again, and lets the answers lie in the socket. */
  async #addReader(partition: number): Promise<void> {
    const client = await this.#add();
    const { chunks } = fetchFrame(this.#topic, partition);
    const ask = (): void => void client.send(chunks).then(ask, () => {});
    ask();
    client.pause();
    const sip = () => {
      client.resume();
      setImmediate(() => client.pause());
    };
    this.#timers.push(setInterval(sip, sipMs * (0.5 + platform.random.uniform())));
  }

  /** Sends whole requests in small pieces: each lies half received at the worker for seconds. */
  async #addWriter(frame: Uint8Array): Promise<void> {
    const client = await this.#add();
    let position = 0;
    const dribble = () => {
      client.sendPart(frame.subarray(position, position + dribbleBytes));
      position += dribbleBytes;
      if (position >= frame.length) position = 0;
    };
    this.#timers.push(setInterval(dribble, dribbleMs * (0.5 + platform.random.uniform())));
  }
}

function fetchFrame(topic: string, partition: number) {
  const envelope = { apiVersion: 12, correlationId: 1, clientId: "millrace-bench" };
  return encodeRequestFrame(fetchApi, envelope, {
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 50 * MiB,
    topics: [{ topic, partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 50 * MiB }] }],
  });
}
