/** Nexmark's queries by a worker of ours: materialized views, made over HTTP. */
import type { Millrace } from "../millrace.ts";
import { cpuSeconds } from "../processes.ts";
import { QueryClient, type QueryState } from "../query-client.ts";
import { eventColumns, eventViews, type NexmarkQuery } from "./queries.ts";
import type { QueryRun, QuerySubject } from "./subject.ts";

/** Between looks at how far a query is: each costs the worker about a millisecond. */
const lookMs = 50;
/** Commits are the end of a measurement, so they must not be far apart. */
const commitInterval = "200 ms";

export class MillraceQueries implements QuerySubject {
  readonly name = "Millrace";
  readonly #worker: Millrace;
  readonly #client: QueryClient;
  readonly #events: number;

  static async open(
    worker: Millrace,
    filled: { readonly topic: string; readonly events: number },
  ): Promise<MillraceQueries> {
    const subject = new MillraceQueries(worker, filled.events);
    const table =
      `CREATE TABLE nexmark (${eventColumns})\n` +
      `WITH ('topic' = '${filled.topic}', 'format' = 'json')`;
    await subject.#client.run([table, ...eventViews].join(";\n"));
    return subject;
  }

  private constructor(worker: Millrace, events: number) {
    this.#worker = worker;
    this.#client = new QueryClient(worker.httpUrl);
    this.#events = events;
  }

  async run({ name, select }: NexmarkQuery): Promise<QueryRun> {
    const pid = this.#worker.pid ?? 0;
    const cpu = await cpuSeconds(pid);
    const since = Date.now();
    await this.#client.run(`CREATE MATERIALIZED VIEW ${name} AS ${select}`, {
      "execution.checkpointing.interval": commitInterval,
    });
    const { live, committedAt } = await this.#committed(name);
    const cpuAfter = await cpuSeconds(pid);
    await this.#client.run(`DROP MATERIALIZED VIEW ${name}`);
    if (live.rowsIn < this.#events || live.rowsWrong + live.restarts > 0) {
      throw new Error(`${name} read ${live.rowsIn} of ${this.#events}: ${JSON.stringify(live)}`);
    }
    return {
      seconds: (committedAt - since) / 1000,
      cpuSeconds: cpuAfter - cpu,
      rowsOut: live.rowsOut,
    };
  }

  /** Waits until everything is committed. */
  async #committed(name: string) {
    for (;;) {
      const { lag, state, failure, live }: QueryState = await this.#client.queryOf(name);
      if (state === "failed") throw new Error(`${name} failed: ${failure}`);
      const commit = live?.lastCommit;
      if (lag === 0 && live !== null && commit != null) return { live, committedAt: commit.at };
      await Bun.sleep(lookMs);
    }
  }
}
