/**
 * Where rows begin: record batches of a topic are decoded to columns, computed columns added, event
 * times looked at. Records that are wrong leave the query here, each with its reason.
 */
import type { StreamError } from "../../base/stream-error.ts";
import type { SourceBatch } from "../kernel/record-walk.ts";
import { RowBuffer } from "../kernel/row-buffer.ts";
import { type DecodedSource, SourceDecoder } from "../kernel/source-decoder.ts";
import { integerOf, pickColumns, rowAt } from "../memory/row-access.ts";
import { RowTable } from "../memory/row-table.ts";
import type { PlanColumn, SourceNode, SourceOrigin } from "../plan/plan.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { type Activity, noTime } from "../time/event-time.ts";
import { type DataType, valueKindOf } from "../types/data-type.ts";
import { reasonOf } from "./evaluation-error.ts";
import { type EventTimeRun, EventTimes, type SeenEventTimes } from "./event-times.ts";
import { Operator, type OperatorContext, type OriginRow, type RowOrigin } from "./operator.ts";
import { type PlacedColumn, PlacedReader } from "./placed-reader.ts";
import { boundColumn, hiddenIndex, type RowLayout, rowColumn, tableColumns } from "./row-layout.ts";

export interface SourceOptions {
  readonly name: string;
  readonly node: SourceNode;
  /** Place among the query's sources. */
  readonly source: number;
  readonly timeZone: string;
  readonly database: SqliteDatabase;
  readonly context: OperatorContext;
}

/** One publish's records of one partition. */
export interface SourceRun {
  readonly partition: number;
  readonly batches: readonly SourceBatch[];
  /** Records below it were read before. */
  readonly fromOffset: number;
  /** Null where the source has no event time. */
  readonly times: EventTimeRun | null;
  readonly watermarkBeside: RowOrigin["watermarkBeside"];
}

export class SourceOperator extends Operator {
  readonly layout: RowLayout;
  readonly #options: SourceOptions;
  readonly #decoder: SourceDecoder;
  readonly #decoded: RowTable;
  readonly #times: EventTimes;
  readonly #rowNumbers: RowBuffer;
  readonly #skipped: RowBuffer;
  readonly #now: number;
  readonly #computing: PlacedReader | null;
  readonly #decodedCount: number;
  /** Of each decoded column, its place in the decoder's table. */
  readonly #picked: readonly number[];
  #numbered = 0;

  constructor(options: SourceOptions) {
    super([], [options.source]);
    const { node, database } = options;
    const { host } = database;
    this.#options = options;
    this.layout = { columns: node.columns, hasOrigin: true, hasWeight: false };
    this.#decodedCount = node.origins.length;
    const columns = node.columns.slice(0, this.#decodedCount);
    const isRead = node.origins.map(({ from }) => from !== "proctime");
    let place = 0;
    // PROCTIME() is in no record: any column holds its place until the rows are pointed at.
    this.#picked = isRead.map((each) => (each ? place++ : 0));
    // Behind the others, where nobody picks them up: they are decoded to be judged.
    const inner = node.format === "json" ? fieldsOfRows(columns, node.origins) : [];
    this.#decoder = new SourceDecoder({
      ...{ host, topic: node.topic, format: node.format },
      columns: [
        ...columns.filter((_, index) => isRead[index]),
        ...inner.map((each) => each.column),
      ],
      origins: [
        ...node.origins.filter((_, index) => isRead[index]),
        ...inner.map((each) => each.origin),
      ],
    });
    this.#decoded = tableOf(database, { ...this.layout, columns });
    this.#times = new EventTimes(host);
    this.#rowNumbers = new RowBuffer(host.memory);
    this.#skipped = new RowBuffer(host.memory);
    this.#now = host.memory.allocateZeroed(8);
    this.#computing = node.computed.length === 0 ? null : computingOf(options, columns);
  }

  push(): void {
    throw new Error("Broken invariant: a source has no input");
  }

  /** Rows of one run go down. Gives what they say of event time. */
  read(run: SourceRun): SeenEventTimes {
    const decoded = this.#decoder.decode(run.batches);
    this.#tellErrors(decoded);
    const origin = this.#originOf(run);
    const table = this.#rowsOf(decoded, run, origin);
    const { node } = this.#options;
    if (node.watermark === null || run.times === null) {
      this.emit({ table, origin });
      return { greatest: run.times?.greatest ?? 0, aheadCount: 0 };
    }
    const time = node.watermark.column;
    const bound = hiddenIndex(this.layout, boundColumn);
    const { recordCount } = decoded;
    const seen = this.#times.take(table, { time, bound, recordCount }, run.times, (missing) => {
      const { name } = node.columns[time] as PlanColumn;
      const row = Number(integerOf(table, hiddenIndex(this.layout, rowColumn), missing));
      const reason = `the event time ${name} is NULL`;
      this.#options.context.onError({ origin: origin.describe(row), reason });
    });
    this.emit({ table, origin: { ...origin, greatest: seen.greatest } });
    return seen;
  }

  /** Whether it holds others: before any source moves, all are told. */
  tell(now: Activity): void {
    this.become(now);
  }

  /** The source's watermark, as the publish that is over has left it. */
  moveTo(watermark: number): void {
    this.advanceTo(watermark);
  }

  /** The decoded columns, hidden ones, and computed ones, in the order of the layout. */
  #rowsOf({ table: source, recordCount }: DecodedSource, run: SourceRun, origin: RowOrigin) {
    const decoded = this.#decoded;
    pickColumns(decoded, source.address, this.#picked);
    this.#pointProctime(decoded);
    const numbers = { values: this.#numbers(recordCount) };
    decoded.point(this.#decodedCount, numbers);
    decoded.point(this.#decodedCount + 1, numbers);
    if (startsBefore(run)) this.#skipBelow(decoded, run.fromOffset);
    if (this.#computing === null) return decoded;
    return this.#computing.read(decoded, (index, error: StreamError) => {
      const reason = reasonOf(error);
      this.#options.context.onError({ origin: origin.describe(rowAt(decoded, index)), reason });
    });
  }

  #pointProctime(table: RowTable): void {
    const { node, context } = this.#options;
    for (const [index, { from }] of node.origins.entries()) {
      if (from !== "proctime") continue;
      table.memory.view.setBigInt64(this.#now, BigInt(context.now()), true);
      table.point(index, { values: this.#now, stride: 0 });
    }
  }

  /** Address of the numbers 0, 1, 2, … */
  #numbers(count: number): number {
    if (count <= this.#numbered) return this.#rowNumbers.address;
    const address = this.#rowNumbers.reserve(8 * count);
    const { view } = this.#decoded.memory;
    for (let row = 0; row < count; row++) view.setBigInt64(address + 8 * row, BigInt(row), true);
    this.#numbered = count;
    return address;
  }

  /** A batch whose first records were read before: they are no rows now. */
  #skipBelow(table: RowTable, fromOffset: number): void {
    const { rowCount, memory } = table;
    const kept: number[] = [];
    for (let index = 0; index < rowCount; index++) {
      const row = rowAt(table, index);
      if (this.#decoder.offsetOf(row) >= fromOffset) kept.push(row);
    }
    if (kept.length === rowCount) return;
    const at = this.#skipped.reserve(4 * kept.length);
    for (const [index, row] of kept.entries()) memory.writeUint32(at + 4 * index, row);
    table.setRows({ rowCount: kept.length, selection: at });
  }

  #tellErrors({ errors }: DecodedSource): void {
    for (const error of errors) {
      const reason = this.#decoder.describe(error);
      this.#options.context.onError({ origin: this.#describe(error.row), reason });
    }
  }

  #describe(row: number): OriginRow {
    return {
      topic: this.#options.node.topic,
      partition: this.#decoder.partitionOf(row),
      offset: this.#decoder.offsetOf(row),
      value: this.#decoder.rawOf(row),
    };
  }

  #originOf({ watermarkBeside }: SourceRun): RowOrigin {
    return {
      source: this.#options.source,
      watermarkBeside,
      greatest: noTime,
      describe: (row) => this.#describe(row),
    };
  }
}

/** Whether the first batch holds records that were read before. */
function startsBefore({ batches, fromOffset }: SourceRun): boolean {
  const first = batches[0];
  return first !== undefined && first.baseOffset < fromOffset;
}

interface InnerField {
  readonly column: PlanColumn;
  readonly origin: Extract<SourceOrigin, { from: "value" }>;
}

/**
 * The fields of ROWs that are read whole. Such a ROW is kept as the text that it is, of which the
 * decoder only looks whether it is an object; what its fields hold has to fit their types as well.
 */
function fieldsOfRows(
  columns: readonly PlanColumn[],
  origins: readonly SourceOrigin[],
): readonly InnerField[] {
  return origins.flatMap((origin, index) => {
    const { type } = columns[index] as PlanColumn;
    return origin.from === "value" ? fieldsOf(type, origin.path) : [];
  });
}

function fieldsOf(type: DataType, path: readonly string[]): InnerField[] {
  if (type.kind !== "row") return [];
  return type.fields.flatMap((field): InnerField[] => {
    const inner = [...path, field.name];
    if (field.type.kind === "row") return fieldsOf(field.type, inner);
    const column = { name: field.name, type: field.type, nullable: true, time: null };
    return [{ column, origin: { from: "value", path: inner } }];
  });
}

function tableOf(database: SqliteDatabase, layout: RowLayout): RowTable {
  return new RowTable(
    database.host.memory,
    tableColumns(layout).map(({ kind }) => kind),
  );
}

/** The decoded columns where they lie, with the computed ones beside them. */
function computingOf(options: SourceOptions, decoded: readonly PlanColumn[]): PlacedReader {
  const { node, database, name, timeZone } = options;
  const input = tableColumns({ columns: decoded, hasOrigin: true, hasWeight: false });
  const plain = decoded.map(({ type }, from): PlacedColumn => ({ kind: valueKindOf(type), from }));
  const computed = node.computed.map((scalar): PlacedColumn => {
    return { kind: valueKindOf(scalar.type), scalar };
  });
  const hidden = [0, 1].map((index): PlacedColumn => {
    return { kind: "integer", from: decoded.length + index };
  });
  return new PlacedReader(database, {
    ...{ name, input, where: null, timeZone },
    output: [...plain, ...computed, ...hidden],
  });
}
