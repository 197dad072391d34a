/** What is known of a query that runs here, for those who ask how it goes. */
import type { PartitionCursor } from "../meta/publish-order.ts";
import type { TaskStatistics } from "../sql/engine/query-task.ts";

export interface QueryStatus {
  readonly statistics: TaskStatistics | null;
  readonly commit: {
    readonly publishPosition: number;
    readonly cursors: readonly PartitionCursor[];
    /** Bytes of the state that the commit carried: all of it, or what had changed. */
    readonly stateBytes: number;
    /** Wall clock of this worker, milliseconds. */
    readonly at: number;
  } | null;
  readonly restarts: number;
  readonly lastFailure: string | null;
}

export class StatusKeeper {
  #status: QueryStatus = { statistics: null, commit: null, restarts: 0, lastFailure: null };

  get current(): QueryStatus {
    return this.#status;
  }

  processed(statistics: TaskStatistics): void {
    this.#status = { ...this.#status, statistics };
  }

  committed(commit: NonNullable<QueryStatus["commit"]>): void {
    this.#status = { ...this.#status, commit };
  }

  restarted(reason: string): void {
    const { restarts } = this.#status;
    this.#status = { ...this.#status, restarts: restarts + 1, lastFailure: reason };
  }
}
