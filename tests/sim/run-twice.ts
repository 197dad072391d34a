import { type RunResult, runScenario } from "./scenario.ts";

/** Runs a seed twice: besides what each finds, both must have had the very same events. */
export async function runTwice(
  seed: number,
): Promise<{ readonly result: RunResult; readonly problems: readonly string[] }> {
  const result = await runScenario(seed);
  const again = await runScenario(seed);
  const problems = [...result.violations];
  if (again.digest !== result.digest) {
    problems.push(`not deterministic: events ${result.digest}, then ${again.digest}`);
  }
  return { result, problems };
}
