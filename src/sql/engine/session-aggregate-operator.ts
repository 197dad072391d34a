/**
 * GROUP BY over session windows: per key, a session takes every row that is at most a gap away, and
 * comes out when the watermark has passed its end. With an allowed lateness it still takes rows
 * then: what came out is taken back, and comes out anew.
 */
import { lowerCast } from "../functions/cast.ts";
import type { StateResult } from "../kernel/state.ts";
import { RowTable } from "../memory/row-table.ts";
import type { WindowAggregateNode } from "../plan/plan.ts";
import { ChangedRows } from "./changed-rows.ts";
import type { Operator } from "./operator.ts";
import { columnName, type RowLayout } from "./row-layout.ts";
import { RowReader } from "./row-reader.ts";
import { SessionOperator, type SessionOptions } from "./session-operator.ts";
import { refuseOverflow } from "./sum-overflow.ts";

export interface SessionAggregateOptions extends SessionOptions {
  readonly node: WindowAggregateNode;
}

export class SessionAggregateOperator extends SessionOperator {
  readonly layout: RowLayout;
  readonly #options: SessionAggregateOptions;
  readonly #rows: ChangedRows;
  readonly #result: RowTable;
  /** Shows start and end as the wall of the time zone did; null: as they are. */
  readonly #walls: RowReader | null;

  constructor(input: Operator, options: SessionAggregateOptions) {
    super(input, options, options.node);
    const { node, time } = options;
    const { memory } = options.database.host;
    this.#options = options;
    this.layout = {
      ...{ columns: node.columns, hasOrigin: false },
      hasWeight: node.allowedLatenessMs > 0,
    };
    this.#rows = new ChangedRows(memory, this.layout);
    this.#result = new RowTable(memory, this.sessions.resultKinds);
    this.#walls = time.zone === null ? null : this.#wallReader(time.zone);
  }

  #wallReader(timeZone: string): RowReader {
    const { database, name } = this.#options;
    const kinds = this.sessions.resultKinds;
    const count = kinds.length - 3;
    const wall = (index: number) =>
      lowerCast(columnName(index), {
        ...{ from: { kind: "timestampLtz" }, to: { kind: "timestamp" }, isTry: false, timeZone },
      });
    const own = Array.from({ length: count }, (_, index) => columnName(index));
    const columns = [...own, wall(count), wall(count + 1), columnName(count + 2)];
    return new RowReader(database, {
      ...{ name, kinds },
      columns: kinds.map((kind, index) => ({ name: columnName(index), kind })),
      sql: (table) => `SELECT ${columns.join(", ")} FROM ${table}`,
    });
  }

  /** Sessions that a late row has made longer come out anew, at the latest with the commit. */
  override flush(): void {
    if (this.#options.node.allowedLatenessMs > 0) this.closeUntil(this.watermark);
  }

  protected showClosed(until: number): void {
    const { closed, taken } = this.sessions.close(until);
    refuseOverflow(closed);
    this.#show(taken, -1);
    this.#show(closed, 1);
  }

  #show(result: StateResult, weight: 1 | -1): void {
    if (result.rowCount === 0) return;
    if (this.#walls === null) {
      this.emit({ table: this.#rows.show(result, weight), origin: null });
      return;
    }
    this.#result.pointToAddress(result.address);
    const rows = this.#walls.read(this.#result, (_, error) => {
      throw error;
    });
    this.emit({ table: this.#rows.show(rows, weight), origin: null });
  }
}
