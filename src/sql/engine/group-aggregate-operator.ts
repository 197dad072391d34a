/**
 * GROUP BY without windows. The kernel keeps the groups; what changed comes out at flushes, as it
 * was taken back and as it is added. Aggregates over no row at all are a row too once it is known
 * that none will come: COUNT is 0, the others NULL. A query that goes on never knows.
 */
import { AggregateState } from "../kernel/aggregate.ts";
import type { SpillSpace } from "../kernel/spill-space.ts";
import { rowParts } from "../memory/row-parts.ts";
import type { Accumulator, GroupAggregateNode } from "../plan/plan.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { ChangedRows } from "./changed-rows.ts";
import type { DirectChanges } from "./direct-changes.ts";
import { Operator, type OperatorContext, type Rows, type StatePart } from "./operator.ts";
import { hiddenIndex, type RowLayout, tableColumns, weightColumn } from "./row-layout.ts";
import { kernelPart } from "./state-part.ts";
import { refuseOverflow } from "./sum-overflow.ts";

export interface GroupAggregateOptions {
  readonly name: string;
  readonly node: GroupAggregateNode;
  readonly database: SqliteDatabase;
  readonly context: OperatorContext;
  readonly seed: bigint;
  readonly stateBytesMax: number;
  readonly spill?: SpillSpace;
  /** The query ends: groups come out then. */
  readonly isBounded: boolean;
  /** Present where the sink is right behind: rows that are replaced are not taken back first. */
  readonly direct?: DirectChanges;
}

type Changes = NonNullable<ReturnType<AggregateState["changes"]>>;

export class GroupAggregateOperator extends Operator {
  readonly layout: RowLayout;
  readonly #state: AggregateState;
  readonly #weightColumn: number;
  readonly #rows: ChangedRows;
  readonly #part: StatePart;
  readonly #direct: DirectChanges | null;
  readonly #isBounded: boolean;
  readonly #context: OperatorContext;
  /** Of a query that ends: its groups came out. */
  #isOut = false;
  readonly #database: SqliteDatabase;
  readonly #accumulators: readonly Accumulator[];
  /** Of aggregates over all rows, as long as none has come. */
  #awaitsRows: boolean;

  constructor(input: Operator, options: GroupAggregateOptions) {
    super([input]);
    const { node, database, name } = options;
    const { host } = database;
    this.layout = { columns: node.columns, hasOrigin: false, hasWeight: true };
    this.#weightColumn = hiddenIndex(input.layout, weightColumn);
    this.#state = new AggregateState(host, {
      spec: {
        input: tableColumns(input.layout).map(({ kind }) => kind),
        keys: node.keys,
        accumulators: node.accumulators,
        isRetractable: input.layout.hasWeight,
        tracksChanges: !options.isBounded,
      },
      panes: null,
      cold: { database, name },
      isFinal: options.isBounded,
      seed: options.seed,
      bytesMax: options.stateBytesMax,
      spill: options.spill,
    });
    this.#rows = new ChangedRows(host.memory, this.layout);
    this.#direct = options.direct ?? null;
    this.#isBounded = options.isBounded;
    this.#context = options.context;
    this.#database = database;
    this.#awaitsRows = node.keys.length === 0;
    this.#accumulators = node.accumulators;
    this.#part = kernelPart(name, this.#state);
  }

  push(_input: number, { table }: Rows): void {
    this.#awaitsRows = false;
    const weights = this.#weightColumn < 0 ? {} : { weightColumn: this.#weightColumn };
    for (const part of rowParts(table, this.#state.rowsWithRoom)) {
      this.#state.add({ table: part, ...weights });
      if (this.#isBounded || !this.#state.mustSettle) continue;
      // A publish may bring more groups than memory takes before the commit that reads them.
      this.#context.onShort();
      this.flush();
    }
  }

  override flush(): void {
    if (this.#isBounded) this.#bringOut();
    else this.#showChanges();
  }

  #bringOut(): void {
    if (!this.hasEnded || this.#isOut) return;
    this.#isOut = true;
    if (this.#awaitsRows) {
      this.#giveNone();
      return;
    }
    this.#state.bringOut((groups) => {
      refuseOverflow(groups);
      this.emit({ table: this.#rows.show(groups, 1), origin: null });
    });
  }

  #showChanges(): void {
    const changes = this.#state.changes();
    if (changes === null) {
      return;
    }
    refuseOverflow(changes.after);
    if (this.#direct === null || this.#direct.isHeld) {
      this.emit({ table: this.#rows.show(changes.before, -1), origin: null });
      this.emit({ table: this.#rows.show(changes.after, 1), origin: null });
    } else this.#replace(this.#direct, changes);
    this.#state.settle();
  }

  #giveNone(): void {
    this.#awaitsRows = false;
    const isCount = ({ kind }: Accumulator) => kind === "count" || kind === "approxCountDistinct";
    const values = [...this.#accumulators.map((each) => (isCount(each) ? "0" : "NULL")), "1"];
    const statement = this.#database.prepare(`SELECT ${values.join(", ")}`);
    const row = new Collector(
      this.#database.host,
      tableColumns(this.layout).map(({ kind }) => kind),
    );
    try {
      const outcome = row.collect(statement);
      if (outcome.kind === "failed") throw outcome.error;
      this.emit({ table: row.table, origin: null });
    } finally {
      statement.finalize();
    }
  }

  #replace(direct: DirectChanges, { before, after }: Changes): void {
    const table = this.#rows.show(after, 1);
    direct.giveRows(table.rowCount);
    this.emit({ table, origin: null });
    if (direct.allCame) return;
    direct.giveGone();
    this.emit({ table: this.#rows.show(before, -1), origin: null });
  }

  override get awaitsCommit(): boolean {
    return this.#state.awaitsSettling;
  }

  override get state(): readonly StatePart[] {
    return [this.#part];
  }
}
