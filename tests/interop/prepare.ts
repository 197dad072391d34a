/**
 * Fetches every program of this tier that is not in the cache yet, so that no test waits for a
 * download or a build. Starts nothing. Exits 1 when one cannot be had, naming what is missing; the
 * tests that need it then fail one by one.
 */
import { programs } from "./support/programs.ts";

for (const [name, bring] of Object.entries(programs)) {
  const startedAt = performance.now();
  try {
    await bring();
    const seconds = (performance.now() - startedAt) / 1000;
    if (seconds > 1) process.stdout.write(`fetched ${name} in ${seconds.toFixed(0)} s\n`);
  } catch (error) {
    process.exitCode = 1;
    const message = error instanceof Error ? error.message : String(error);
    process.stdout.write(`cannot fetch ${name}: ${message}\n`);
  }
}
