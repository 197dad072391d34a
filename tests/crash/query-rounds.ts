/**
 * Kill −9 under running queries: the server is killed at random moments while bids come in, and in
 * the end the queries' results must be as if it never had been.
 */
import { eventually } from "../support/processes.ts";
import { createRandom } from "../support/virtual-platform.ts";
import type { CrashServer } from "./crash-server.ts";
import { QueryLoad } from "./query-load.ts";

export interface QueryCrashOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly onRound?: (round: number, bids: number) => void;
}

export interface QueryCrashResult {
  readonly bids: number;
  readonly windows: number;
  /** Rounds after which the view went on from a later commit than after the one before. */
  readonly advances: number;
  readonly faults: readonly string[];
}

const committedMsMax = 60_000;

/** Stops the server in the end. */
export async function runQueryCrashes(
  server: CrashServer,
  options: QueryCrashOptions,
): Promise<QueryCrashResult> {
  const random = createRandom(options.seed);
  const load = await QueryLoad.create(server);
  let advances = 0;
  let position = 0;
  for (let round = 1; round <= options.rounds; round++) {
    const running = load.run(server);
    const hasCommitted = async () => (await load.committed(server)) > position || undefined;
    // Every other kill may meet the queries while they start; before the rest they have committed.
    if (round % 2 === 0) await eventually(hasCommitted, committedMsMax);
    await Bun.sleep(random.uniform() * 400);
    await server.kill();
    await Promise.all(running);
    await server.restart();
    const committed = await load.committed(server);
    if (committed > position) advances += 1;
    position = committed;
    options.onRound?.(round, load.bids.length);
  }
  const { windows, faults } = await load.finish(server);
  await server.stop();
  return { bids: load.bids.length, windows, advances, faults };
}
