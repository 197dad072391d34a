/**
 * Many crashes, where the tests have a few: `npm run crash -- [log|queries] [edge] [ROUNDS] [SEED]`.
 * By default 1 000 rounds of the log; of queries 200. With `edge` workerd is killed.
 */
import { StreamServer } from "../support/stream-server.ts";
import type { CrashServer } from "./crash-server.ts";
import { EdgeServer } from "./edge-server.ts";
import { runQueryCrashes } from "./query-rounds.ts";
import { runCrashes } from "./rounds.ts";

const words = process.argv.slice(2);
const isNamed = words[0] === "log" || words[0] === "queries";
const what = isNamed ? words.shift() : "log";
const isEdge = words[0] === "edge";
if (isEdge) words.shift();
const rounds = Number(words[0] ?? (what === "queries" ? 200 : 1000));
const seed = Number(words[1] ?? Date.now() % 1_000_000);
console.log(`${what}: ${rounds} rounds, seed ${seed}`);
const faults = what === "queries" ? await crashQueries() : await crashLog();
process.exit(faults.length === 0 ? 0 : 1);

async function crashLog(): Promise<readonly string[]> {
  const { acked, faults } = await runCrashes(
    await started(["--fsync", seed % 2 === 0 ? "on" : "off"]),
    {
      rounds,
      seed,
      onRound: (round, count) => {
        if (round % 10 === 0) console.log(`round ${round}: ${count} records acknowledged`);
      },
    },
  );
  for (const fault of faults) console.log(fault);
  console.log(`${acked} records acknowledged, ${faults.length} faults`);
  return faults;
}

async function crashQueries(): Promise<readonly string[]> {
  const { bids, windows, advances, faults } = await runQueryCrashes(await started(), {
    rounds,
    seed,
    onRound: (round, count) => {
      if (round % 10 === 0) console.log(`round ${round}: ${count} bids`);
    },
  });
  for (const fault of faults) console.log(fault);
  console.log(
    `${bids} bids, ${windows} windows, ${advances} rounds with commits, ${faults.length} faults`,
  );
  return faults;
}

async function started(flags: readonly string[] = []): Promise<CrashServer> {
  return isEdge ? await EdgeServer.start() : await StreamServer.start({ flags });
}
