/** Whoever runs Nexmark's queries over a topic that is filled already. */
import type { NexmarkQuery } from "./queries.ts";

export interface QueryRun {
  /** From when reading began until the last result was in its topic. */
  readonly seconds: number;
  /** Processor time of the whole process meanwhile, on all its threads. */
  readonly cpuSeconds: number;
  /** Undefined where it does not say. */
  readonly rowsOut: number | undefined;
}

export interface QuerySubject {
  readonly name: string;
  run(query: NexmarkQuery): Promise<QueryRun>;
}
