/**
 * Kill −9 under load: producers write, the worker is killed at a random moment and started again,
 * and what was unanswered is sent again. In the end every acknowledged record must stand where its
 * answer said, once, in its producer's order.
 */
import { type ServerPlace, StreamServer } from "../support/stream-server.ts";
import { createRandom } from "../support/virtual-platform.ts";
import { type AckedRecord, type FoundRecord, faultsOf } from "./acked-records.ts";
import { HttpProducer } from "./http-producer.ts";
import { IdempotentProducer } from "./kafka-producer.ts";

export interface CrashOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Where it runs, and how. */
  readonly place: ServerPlace;
  /** Called after each round: a long run shows that it moves. */
  readonly onRound?: (round: number, acked: number) => void;
}

export interface CrashResult {
  readonly acked: number;
  readonly faults: readonly string[];
}

const topic = "crash";
const partitionCount = 3;

export async function runCrashes(options: CrashOptions): Promise<CrashResult> {
  const random = createRandom(options.seed);
  const server = await StreamServer.start(options.place);
  await createTopic(server);
  const kafka = Array.from({ length: partitionCount }, (_, partition) => {
    const name = `kafka${partition}`;
    return new IdempotentProducer({
      name,
      topic,
      partition,
      inFlightMax: 5,
      random: () => random.uniform(),
    });
  });
  const http = Array.from({ length: partitionCount }, (_, partition) => {
    return new HttpProducer({ name: `http${partition}`, topic, partition });
  });
  const acked = () => [...kafka, ...http].flatMap((producer) => producer.acked);
  for (let round = 1; round <= options.rounds; round++) {
    const running = [
      ...kafka.map((producer) => producer.run(server.bootstrap)),
      ...http.map((producer) => producer.run(server.httpUrl)),
    ];
    await Bun.sleep(20 + random.uniform() * 400);
    await server.kill();
    await Promise.all(running);
    await server.restart();
    options.onRound?.(round, acked().length);
  }
  for (const producer of kafka) await producer.settle(server.bootstrap);
  for (const producer of http) await producer.settle(server.httpUrl);
  const faults = await readBack(server, acked());
  await server.stop();
  return { acked: acked().length, faults };
}

async function createTopic(server: StreamServer): Promise<void> {
  const answer = await fetch(`${server.httpUrl}/v1/topics`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name: topic, partitions: partitionCount }),
  });
  if (!answer.ok) throw new Error(`The topic was not made: ${await answer.text()}`);
}

async function readBack(server: StreamServer, acked: readonly AckedRecord[]): Promise<string[]> {
  const faults: string[] = [];
  for (let partition = 0; partition < partitionCount; partition++) {
    const mine = acked.filter((record) => record.partition === partition);
    faults.push(...faultsOf(partition, mine, await readPartition(server, partition)));
  }
  return faults;
}

async function readPartition(server: StreamServer, partition: number): Promise<FoundRecord[]> {
  const found: FoundRecord[] = [];
  for (;;) {
    const path = `/v1/topics/${topic}/partitions/${partition}/records`;
    const answer = await fetch(`${server.httpUrl}${path}?offset=${found.length}`);
    if (!answer.ok) throw new Error(`Reading failed: ${await answer.text()}`);
    const { records } = (await answer.json()) as { records: FoundRecord[] };
    if (records.length === 0) return found;
    found.push(...records);
  }
}
