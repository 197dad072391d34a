/** The shape of a benchmark. */
import type { Figure } from "./support/figures.ts";
import type { BenchOptions } from "./support/options.ts";

export interface BenchContext {
  readonly options: BenchOptions;
  /** Progress, for whoever waits. */
  readonly say: (line: string) => void;
}

export interface Benchmark {
  readonly name: string;
  readonly summary: string;
  /** Figures in the order in which they are to be shown. Throws when something did not work. */
  run(context: BenchContext): Promise<readonly Figure[]>;
}
