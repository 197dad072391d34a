/**
 * Kill −9 under load: producers write, the worker is killed at a random moment and started again,
 * and what was unanswered is sent again. In the end every acknowledged record must stand where its
 * answer said, once, in its producer's order.
 */
import { createRandom } from "../support/virtual-platform.ts";
import type { CrashServer } from "./crash-server.ts";
import { LogLoad } from "./log-load.ts";

export interface CrashOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Called after each round: a long run shows that it moves. */
  readonly onRound?: (round: number, acked: number) => void;
}

export interface CrashResult {
  readonly acked: number;
  readonly faults: readonly string[];
}

/** Stops the server in the end. */
export async function runCrashes(server: CrashServer, options: CrashOptions): Promise<CrashResult> {
  const random = createRandom(options.seed);
  const place = { topic: "crash", partitions: 3, random: () => random.uniform() };
  const load = (await LogLoad.create(server, place)).withKafka().withHttp();
  for (let round = 1; round <= options.rounds; round++) {
    const running = load.run(server);
    await Bun.sleep(20 + random.uniform() * 400);
    await server.kill();
    await Promise.all(running);
    await server.restart();
    options.onRound?.(round, load.acked.length);
  }
  const faults = await load.faults(server);
  await server.stop();
  return { acked: load.acked.length, faults };
}
