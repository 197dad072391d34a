/** Many crashes: `bun tests/crash/run.ts [ROUNDS] [SEED]`; the test runs a few. */
import { runCrashes } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? 1000);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
console.log(`${rounds} rounds, seed ${seed}`);
const { acked, faults } = await runCrashes({
  rounds,
  seed,
  flags: ["--fsync", seed % 2 === 0 ? "on" : "off"],
  onRound: (round, count) => {
    if (round % 10 === 0) console.log(`round ${round}: ${count} records acknowledged`);
  },
});
for (const fault of faults) console.log(fault);
console.log(`${acked} records acknowledged, ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
