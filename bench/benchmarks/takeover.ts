/** How soon a worker that was killed is forgotten, and its groups and records served elsewhere. */
import { findCoordinatorApi } from "../../src/wire/kafka/api/find-coordinator.ts";
import { metadataApi } from "../../src/wire/kafka/api/metadata.ts";
import { offsetFetchApi } from "../../src/wire/kafka/api/offset-fetch.ts";
import type { BenchContext, Benchmark } from "../benchmark.ts";
import { type KafkaClient, newTopic, withClient } from "../support/kafka-client.ts";
import type { Millrace } from "../support/millrace.ts";
import { median, percentile, rounded } from "../support/statistics.ts";
import { withTwoWorkers } from "../support/two-workers.ts";

/** Between looks: finer than what is measured, too rare to be a load. */
const lookMs = 20;
const giveUpMs = 60_000;
/** Enough that some belong to either worker. */
const groupCount = 16;

export const takeoverBenchmark: Benchmark = {
  name: "takeover",
  summary: "kill -9 one of two workers; needs --sqld or --metadata",
  async run(context) {
    const { options, say } = context;
    const left: number[] = [];
    const moved: number[] = [];
    for (let round = 0; round < options.rounds; round++) {
      const { leftMs, movedMs } = await withTwoWorkers(context, [], (first, second) =>
        killSecond(context, first, second),
      );
      left.push(leftMs);
      moved.push(movedMs);
      say(
        `  round ${round + 1} of ${options.rounds}: out of Metadata after ${rounded(leftMs)} ms, ` +
          `groups moved after ${rounded(movedMs)} ms`,
      );
    }
    const goal = { atMost: 3_000 };
    return [
      { what: "kill -9 to out of Metadata, median", value: median(left), unit: "ms", goal },
      { what: "kill -9 to out of Metadata, worst", value: percentile(left, 1), unit: "ms", goal },
      { what: "kill -9 to all its groups served, median", value: median(moved), unit: "ms" },
      { what: "kill -9 to all its groups served, worst", value: percentile(moved, 1), unit: "ms" },
    ];
  },
};

async function killSecond(
  { say }: BenchContext,
  first: Millrace,
  second: Millrace,
): Promise<{ leftMs: number; movedMs: number }> {
  await newTopic(first, 8);
  return await withClient(first, async (client) => {
    await until(async () => (await brokerPorts(client)).length === 2);
    const groups = Array.from({ length: groupCount }, (_, index) => `bench-group-${index}`);
    const owners = new Map<string, number>();
    await until(async () => {
      for (const group of groups) owners.set(group, await coordinatorPort(client, group));
      return [...owners.values()].every((port) => port > 0);
    });
    const itsGroups = groups.filter((group) => owners.get(group) === second.port);
    if (itsGroups.length === 0) say("  the killed worker coordinates no group");
    const since = performance.now();
    await second.program.kill();
    const [leftMs, movedMs] = await Promise.all([
      until(async () => !(await brokerPorts(client)).includes(second.port)),
      until(async () => await allServed(client, first, itsGroups)),
    ]).then((ends) => ends.map((end) => end - since));
    return { leftMs: leftMs ?? Number.NaN, movedMs: movedMs ?? Number.NaN };
  });
}

/** Resolves to when `holds` first did. */
async function until(holds: () => Promise<boolean>): Promise<number> {
  const deadline = performance.now() + giveUpMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Nothing came of it in ${giveUpMs} ms`);
    await Bun.sleep(lookMs);
  }
  return performance.now();
}

async function brokerPorts(client: KafkaClient): Promise<number[]> {
  const { brokers } = await client.ask(metadataApi, 9, { topics: [] });
  return brokers.map(({ port }) => port);
}

/** -1 while the group has no coordinator. */
async function coordinatorPort(client: KafkaClient, group: string): Promise<number> {
  const answer = await client.ask(findCoordinatorApi, 3, { key: group, keyType: 0 });
  return answer.errorCode === 0 ? (answer.port ?? -1) : -1;
}

/** Whether `worker` answers for all of the groups, as their coordinator. */
async function allServed(
  client: KafkaClient,
  worker: Millrace,
  groups: readonly string[],
): Promise<boolean> {
  for (const group of groups) {
    if ((await coordinatorPort(client, group)) !== worker.port) return false;
    const answer = await client.ask(offsetFetchApi, 7, { groupId: group, topics: null });
    if (answer.errorCode !== 0) return false;
  }
  return true;
}
