/**
 * Pair by pair, where a join at once has failed: finds the pairs whose condition fails, and goes on
 * behind them.
 */
import type { StreamError } from "../../base/stream-error.ts";
import type { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";

export interface JoinPairsOptions {
  /** Gives `seq` of the left and of the right row of each pair to ask for; ?1 as of `each`. */
  readonly candidates: string;
  /** Gives the joined row of the pair ?1, ?2, or nothing where the condition does not hold. */
  readonly pair: string;
  /** Note that the left row ?1, or the right row, has met somebody; null where nobody asks. */
  readonly marks: readonly [string | null, string | null];
}

export class JoinPairs {
  readonly #candidates: SqliteStatement;
  readonly #pair: SqliteStatement;
  readonly #marks: readonly (SqliteStatement | null)[];

  constructor(database: SqliteDatabase, { candidates, pair, marks }: JoinPairsOptions) {
    this.#candidates = database.prepare(candidates);
    this.#pair = database.prepare(pair);
    this.#marks = marks.map((sql) => (sql === null ? null : database.prepare(sql)));
  }

  /** Appends the joined rows after `seq` `after` to `result`; tells each pair's failure. */
  collect(after: bigint, result: Collector, onFailed: (error: StreamError) => void): void {
    const candidates = this.#candidates.bind(after);
    try {
      while (candidates.step()) {
        const [left = null, right = null] = candidates.row();
        const countBefore = result.table.rowCount;
        const outcome = result.collect(this.#pair.bind(left, right));
        this.#pair.reset();
        if (outcome.kind === "failed") onFailed(outcome.error);
        else if (result.table.rowCount === countBefore) continue;
        this.#marks[0]?.all(left);
        this.#marks[1]?.all(right);
      }
    } finally {
      candidates.reset();
    }
  }
}
