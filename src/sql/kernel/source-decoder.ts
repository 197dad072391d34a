/**
 * The first operator of every query: batches of records in, a Table of the source's columns out.
 * Records that cannot be decoded are no rows of it, but are told, each with its reason: whoever
 * reads them writes them to the query's errors.
 *
 * Behind the source's own columns lie the hidden ones: `$partition`, `$offset` and `$raw`, the
 * record's value. All memory is used again by the next call, and is bounded by the batches given,
 * about four times their bytes and 50 bytes per record and column.
 */
import { assert } from "../../base/assert.ts";
import { StreamError } from "../../base/stream-error.ts";
import { type ColumnPlace, RowTable } from "../memory/row-table.ts";
import type { PlanColumn, SourceOrigin } from "../plan/plan.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";
import { type DataType, type ValueKind, valueKindOf } from "../types/data-type.ts";
import {
  type DecodedColumn,
  type DecodeError,
  describeDecodeError,
  faultCodes,
} from "./decode-error.ts";
import { JsonDecoder } from "./json-decoder.ts";
import { RecordWalk, type SourceBatch } from "./record-walk.ts";
import { RowBuffer } from "./row-buffer.ts";

export interface SourceDecoderOptions {
  readonly host: SqliteHost;
  readonly topic: string;
  readonly format: "json" | "raw";
  readonly columns: readonly Pick<PlanColumn, "name" | "type" | "nullable">[];
  /** One per column. In the raw format the value is one column, whatever its path. */
  readonly origins: readonly SourceOrigin[];
  /** Decode JSON without the shape graph: for comparisons. */
  readonly isGeneric?: boolean;
}

export interface DecodedSource {
  /** The rows: the source's columns, then the hidden ones. A selection leaves out what is none. */
  readonly table: RowTable;
  /** Records that were read, whatever became of them: rows are numbered up to here. */
  readonly recordCount: number;
  /** Records that are rows. */
  readonly rowCount: number;
  /** Records of the JSON format without a value: neither rows nor errors, as in Flink. */
  readonly tombstoneCount: number;
  /** In order of rows; `column` is a place in the source's columns. */
  readonly errors: readonly DecodeError[];
}

type MetadataField = Extract<SourceOrigin, { from: "metadata" }>["field"];

const hiddenKinds: readonly ValueKind[] = ["integer", "integer", "blob"];

/** A column whose text comes from the record as it is, and so must be checked. */
interface CheckedColumn {
  readonly column: number;
  readonly part: "keys" | "values";
  readonly isText: boolean;
  readonly isRequired: boolean;
}

export class SourceDecoder {
  readonly table: RowTable;
  readonly #options: SourceDecoderOptions;
  readonly #memory: SqliteMemory;
  readonly #walk: RecordWalk;
  readonly #json: JsonDecoder | null;
  /** Of each column that the JSON decoder makes, its place in the source's columns. */
  readonly #jsonPlaces: readonly number[];
  readonly #checked: readonly CheckedColumn[];
  readonly #status: RowBuffer;
  readonly #positions: RowBuffer;
  readonly #selection: RowBuffer;
  readonly #topicSlot: number;
  readonly #topicText: number;

  constructor(options: SourceDecoderOptions) {
    const { host, columns, origins, format, topic } = options;
    assert(columns.length === origins.length, "each column has an origin");
    const { memory } = host;
    this.#options = options;
    this.#memory = memory;
    const fields = origins.map((each) => (each.from === "metadata" ? each.field : null));
    for (const [index, field] of fields.entries()) refuseKind(columns[index], field, format);
    this.#walk = new RecordWalk(host, {
      timestamps: fields.includes("timestamp"),
      keys: fields.includes("key"),
      headers: fields.includes("headers"),
    });
    const values = [...fields.keys()].filter((index) => fields[index] === null);
    this.#jsonPlaces = format === "json" ? values : [];
    this.#json = format === "json" ? this.#jsonDecoder() : null;
    this.#checked = checkedColumns(options);
    this.#status = new RowBuffer(memory);
    this.#positions = new RowBuffer(memory);
    this.#selection = new RowBuffer(memory);
    const kinds = [...columns.map(({ type }) => valueKindOf(type)), ...hiddenKinds];
    this.table = new RowTable(memory, kinds);
    const { address, length } = memory.placeText(topic);
    this.#topicText = address;
    this.#topicSlot = memory.allocate(8);
    memory.writeUint32(this.#topicSlot, address);
    memory.writeUint32(this.#topicSlot + 4, length);
  }

  /** Places of the hidden columns in the table. */
  get hidden(): { readonly partition: number; readonly offset: number; readonly raw: number } {
    const first = this.#options.columns.length;
    return { partition: first, offset: first + 1, raw: first + 2 };
  }

  /** Rows by the shape graph, and in vain; null for the raw format. */
  get shapes(): { readonly hits: number; readonly misses: number } | null {
    return this.#json?.shapes ?? null;
  }

  /**
   * Decodes the records of some batches, whose bytes are copied first. The table's rows are valid
   * until the next call.
   * @throws StreamError `corrupt_record`, `sql_memory_exceeded`
   */
  decode(batches: readonly SourceBatch[]): DecodedSource {
    const count = this.#walk.walk(batches);
    const status = this.#status.reserve(count);
    const errors = this.#decodeValues(count, status);
    for (const each of this.#checked) this.#check(each, { count, status, errors });
    errors.sort((a, b) => a.row - b.row);
    this.#point(count);
    let rowCount = count;
    let selection = 0;
    if (this.#walk.kernel.hasSome(status, count)) {
      selection = this.#selection.reserve(4 * count);
      rowCount = this.#walk.kernel.selectRows(status, count, selection);
    }
    this.table.setRows({ rowCount, selection });
    const tombstoneCount = count - rowCount - errors.length;
    return { table: this.table, recordCount: count, rowCount, tombstoneCount, errors };
  }

  /** The record's value, or null when it has none; a copy. `row` counts records. */
  rawOf(row: number): Uint8Array | null {
    return this.#bytesOf("values", row);
  }

  offsetOf(row: number): number {
    const at = this.#walk.slots.offsets.address + 8 * row;
    return Number(this.#memory.view.getBigInt64(at, true));
  }

  partitionOf(row: number): number {
    const at = this.#walk.slots.partitions.address + 8 * row;
    return Number(this.#memory.view.getBigInt64(at, true));
  }

  /** An error of the last call in words. */
  describe(error: DecodeError): string {
    const column = error.column === null ? null : this.#described(error.column);
    const origin = this.#options.origins[error.column ?? -1];
    const part = origin?.from === "metadata" && origin.field === "key" ? "keys" : "values";
    return describeDecodeError(error, column, this.#bytesOf(part, error.row) ?? new Uint8Array());
  }

  free(): void {
    this.#json?.free();
    this.#walk.free();
    this.table.free();
    for (const each of [this.#status, this.#positions, this.#selection]) each.free();
    this.#memory.free(this.#topicSlot);
    this.#memory.free(this.#topicText);
  }

  #jsonDecoder(): JsonDecoder {
    const { host, columns, origins, isGeneric } = this.#options;
    const wanted = this.#jsonPlaces.map((index) => {
      const column = columns[index];
      const origin = origins[index];
      assert(column !== undefined && origin?.from === "value", "a JSON column has a path");
      return { path: origin.path, type: column.type, nullable: column.nullable };
    });
    return new JsonDecoder({ host, columns: wanted, isGeneric: isGeneric ?? false });
  }

  #decodeValues(count: number, status: number): DecodeError[] {
    if (this.#json === null) {
      this.#memory.bytes.fill(0, status, status + count);
      return [];
    }
    const { slots, valueNulls, input } = this.#walk;
    const rows = { slots: slots.values.address, nulls: valueNulls.address, count, status };
    const errors = this.#json.decode({ ...rows, inputBytes: input.bytes });
    return errors.map((each) => ({
      ...each,
      column: each.column === null ? null : (this.#jsonPlaces[each.column] ?? null),
    }));
  }

  /** Finds rows whose key or raw value is no text, or NULL where that is not allowed. */
  #check(
    { column, part, isText, isRequired }: CheckedColumn,
    rows: { readonly count: number; readonly status: number; readonly errors: DecodeError[] },
  ): void {
    const { count, status, errors } = rows;
    const { kernel } = this.#walk;
    const slots = this.#walk.slots[part].address;
    const nulls = (part === "keys" ? this.#walk.keyNulls : this.#walk.valueNulls).address;
    const positions = isText ? this.#positions.reserve(4 * count) : 0;
    const code = faultCodes.invalidUtf8;
    const wrong = isText ? kernel.checkText(slots, nulls, 0, count, status, positions, code) : 0;
    const isMissing = isRequired && kernel.hasSome(nulls, count) !== 0;
    if (wrong === 0 && !isMissing) return;
    const { bytes } = this.#memory;
    const known = new Set(errors.map(({ row }) => row));
    for (let row = 0; row < count; row++) {
      if (isMissing && bytes[nulls + row] !== 0 && bytes[status + row] === 0) {
        bytes[status + row] = faultCodes.missing;
        errors.push({ row, fault: "missing", column, position: 0 });
      } else if (bytes[status + row] === code && !known.has(row)) {
        const position = this.#memory.readUint32(positions + 4 * row);
        errors.push({ row, fault: "invalidUtf8", column, position });
      }
    }
  }

  #point(count: number): void {
    const { columns, origins } = this.#options;
    for (const [index, origin] of origins.entries()) {
      if (origin.from === "metadata")
        this.table.point(index, this.#metadataPlace(origin.field, count));
      else if (this.#json === null) this.table.point(index, this.#part("values", count));
    }
    for (const [made, index] of this.#jsonPlaces.entries()) {
      const place = this.#json?.place(made);
      if (place !== undefined) this.table.point(index, this.#withoutNulls(place, count));
    }
    const { offsets, partitions } = this.#walk.slots;
    this.table.point(columns.length, { values: partitions.address });
    this.table.point(columns.length + 1, { values: offsets.address });
    this.table.point(columns.length + 2, this.#part("values", count));
  }

  #metadataPlace(field: MetadataField, count: number): ColumnPlace {
    const { slots } = this.#walk;
    switch (field) {
      case "topic":
        return { values: this.#topicSlot, stride: 0 };
      case "partition":
        return { values: slots.partitions.address };
      case "offset":
        return { values: slots.offsets.address };
      case "timestamp":
        return { values: slots.timestamps.address };
      case "key":
        return this.#part("keys", count);
      case "headers":
        return { values: slots.headers.address };
    }
  }

  #part(part: "keys" | "values", count: number): ColumnPlace {
    const nulls = part === "keys" ? this.#walk.keyNulls : this.#walk.valueNulls;
    return this.#withoutNulls(
      { values: this.#walk.slots[part].address, nulls: nulls.address },
      count,
    );
  }

  /** A column none of whose rows is NULL says so: readers are faster then. */
  #withoutNulls(place: { values: number; nulls: number }, count: number): ColumnPlace {
    const hasNulls = this.#walk.kernel.hasSome(place.nulls, count) !== 0;
    return hasNulls ? place : { values: place.values };
  }

  #bytesOf(part: "keys" | "values", row: number): Uint8Array | null {
    const nulls = part === "keys" ? this.#walk.keyNulls : this.#walk.valueNulls;
    if (this.#memory.bytes[nulls.address + row] !== 0) return null;
    const slot = this.#walk.slots[part].address + 8 * row;
    return this.#memory.take(this.#memory.readUint32(slot), this.#memory.readUint32(slot + 4));
  }

  #described(index: number): DecodedColumn {
    const column = this.#options.columns[index];
    const origin = this.#options.origins[index];
    assert(column !== undefined && origin !== undefined, `there is a column ${index}`);
    const isPath = origin.from === "value" && this.#options.format === "json";
    return { path: isPath ? origin.path : [column.name], type: column.type };
  }
}

/** Kinds that each metadata field may be read as. */
const metadataKinds: Readonly<Record<MetadataField, readonly ValueKind[]>> = {
  topic: ["text"],
  partition: ["integer"],
  offset: ["integer"],
  timestamp: ["integer"],
  key: ["blob", "text"],
  headers: ["blob"],
};

function refuseKind(
  column: { readonly name: string; readonly type: DataType } | undefined,
  field: MetadataField | null,
  format: "json" | "raw",
): void {
  if (column === undefined || (field === null && format === "json")) return;
  const kinds = field === null ? (["blob", "text"] as const) : metadataKinds[field];
  if (kinds.some((each) => each === valueKindOf(column.type))) return;
  const what = field === null ? "the value, in the format raw," : `the metadata ${field}`;
  throw new StreamError(
    "invalid_request",
    `Cannot decode the column "${column.name}": ${what} cannot be read as ${column.type.kind}`,
  );
}

function checkedColumns({ columns, origins, format }: SourceDecoderOptions): CheckedColumn[] {
  const checked: CheckedColumn[] = [];
  for (const [column, origin] of origins.entries()) {
    const isKey = origin.from === "metadata" && origin.field === "key";
    const isRaw = origin.from === "value" && format === "raw";
    const declared = columns[column];
    if (declared === undefined || !(isKey || isRaw)) continue;
    const isText = valueKindOf(declared.type) === "text";
    const isRequired = !declared.nullable;
    const part = isKey ? "keys" : "values";
    if (isText || isRequired) checked.push({ column, part, isText, isRequired });
  }
  return checked;
}
