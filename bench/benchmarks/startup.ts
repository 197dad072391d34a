/**
 * From the exec of the worker to its first acknowledged record, from the sources and as one file,
 * and what it holds when idle.
 */
import { join } from "node:path";
import { buildBinary } from "../../deploy/binary/build-binary.ts";
import type { BenchContext, Benchmark } from "../benchmark.ts";
import { Millrace } from "../support/millrace.ts";
import { removeFolder, residentBytes, temporaryFolder } from "../support/processes.ts";
import { median, percentile, rounded } from "../support/statistics.ts";

/** After its start a worker is idle; memory of the start is given back by then. */
const idleMs = 5_000;

export const startupBenchmark: Benchmark = {
  name: "startup",
  summary: "exec to first acknowledged record, on new and on known data; idle memory",
  async run(context) {
    const { options, say } = context;
    const folder = temporaryFolder(options.folder);
    const file = join(folder, "millrace");
    await buildBinary(file);
    const fresh: number[] = [];
    const again: number[] = [];
    const alone: number[] = [];
    const resident: number[] = [];
    for (let round = 0; round < options.rounds; round++) {
      const worker = await Millrace.prepare(options);
      fresh.push(await firstRecord(worker));
      if (round === 0) resident.push(await idleBytes(worker, context));
      await worker.program.stop();
      again.push(await firstRecord(worker));
      await worker.stop();
      const single = await Millrace.prepare(options, { program: [file] });
      alone.push(await firstRecord(single));
      await single.stop();
      say(
        `  round ${round + 1} of ${options.rounds}: new data ${rounded(fresh.at(-1) ?? 0)} ms, ` +
          `known data ${rounded(again.at(-1) ?? 0)} ms, one file ${rounded(alone.at(-1) ?? 0)} ms`,
      );
    }
    removeFolder(folder);
    const goal = { atMost: 400 };
    const [idle = 0] = resident;
    return [
      { what: "exec to first record, new data", unit: "ms", goal, ...spread(fresh) },
      { what: "exec to first record, known data", unit: "ms", goal, ...spread(again) },
      { what: "exec of the single file to first record", unit: "ms", goal, ...spread(alone) },
      {
        what: "resident memory, idle",
        value: idle / 1e6,
        unit: "MB",
        goal: { atMost: 150 },
        note: `${idleMs / 1000} s after the first record`,
      },
    ];
  },
};

function spread(values: readonly number[]) {
  const note = `${rounded(percentile(values, 0))} to ${rounded(percentile(values, 1))} in ${values.length} rounds`;
  return { value: median(values), note };
}

/** Milliseconds; asks again until somebody answers, as a client in a hurry would. */
async function firstRecord(worker: Millrace): Promise<number> {
  const since = performance.now();
  const program = worker.spawn();
  await program.waitUntil(async () => {
    const answer = await fetch(`${worker.httpUrl}/v1/topics/startup/records`, {
      method: "POST",
      headers: { "Content-Type": "text/plain" },
      body: "hello",
    });
    return answer.ok;
  }, 1);
  return performance.now() - since;
}

async function idleBytes(worker: Millrace, { say }: BenchContext): Promise<number> {
  say("  waiting for it to be idle");
  await Bun.sleep(idleMs);
  return (await residentBytes(worker.program.pid)).now;
}
