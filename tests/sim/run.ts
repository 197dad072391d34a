/**
 * The simulator's command: runs seeds, each twice, and says how to replay what fails.
 *
 *   bun tests/sim/run.ts --seeds 1000          seeds 1 to 1000
 *   bun tests/sim/run.ts --seeds 0 --machines 200   machines that lose their power alone
 *   bun tests/sim/run.ts --seeds 1000 --from 5000
 *   bun tests/sim/run.ts --seeds 1000 --kind "power losses"    only those whose cast is so named
 *   bun tests/sim/run.ts --seed 42 --trace     one seed, every event as a line
 */
import { parseArgs } from "node:util";
import { runTwice } from "./run-twice.ts";
import { runScenario } from "./scenario.ts";
import { firstMachinesSeed, stageOf } from "./stage.ts";
import { World } from "./world.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    kind: { type: "string", default: "" },
    machines: { type: "string", default: "0" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});

process.exitCode = values.seed === undefined ? await runMany() : await runOne(Number(values.seed));

function seedsFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

async function runOne(seed: number): Promise<number> {
  if (values.trace) {
    const result = await runScenario(seed, (line) => console.log(line));
    console.log(JSON.stringify(result, null, 2));
    return result.violations.length > 0 ? 1 : 0;
  }
  const { result, problems } = await runTwice(seed);
  console.log(JSON.stringify(result, null, 2));
  for (const problem of problems) console.log(problem);
  return problems.length > 0 ? 1 : 0;
}

async function runMany(): Promise<number> {
  const seeds = [
    ...seedsFrom(Number(values.from), Number(values.seeds)),
    ...seedsFrom(firstMachinesSeed, Number(values.machines)),
  ];
  const count = seeds.length;
  const startedAt = performance.now();
  const total = { failed: 0, acked: 0, seen: 0, events: 0 };
  const kinds = new Map<string, number>();
  for (const seed of seeds) {
    if (!stageOf(new World({ seed })).kind.includes(values.kind)) continue;
    const { result, problems } = await runTwice(seed);
    kinds.set(result.kind, (kinds.get(result.kind) ?? 0) + 1);
    total.acked += result.ackedCount;
    total.seen += result.seenCount;
    total.events += result.eventCount;
    if (problems.length > 0) total.failed += 1;
    for (const problem of problems.slice(0, 3))
      console.log(`seed ${seed} (${result.kind}): ${problem}`);
    if (problems.length > 0) console.log(`  replay: bun tests/sim/run.ts --seed ${seed} --trace`);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  for (const [kind, times] of kinds) console.log(`${times} seeds: ${kind}`);
  console.log(
    `${count} seeds twice in ${seconds.toFixed(1)} s (${(count / seconds).toFixed(1)} a second), ` +
      `${total.events} events, ${total.acked} records acknowledged, ${total.seen} read; ` +
      `${total.failed} seeds failed`,
  );
  return total.failed > 0 ? 1 : 0;
}
