/**
 * Projected JSON decode: values of records in, columns out. The kernel is `wasm/sql/json.ts`.
 *
 * A value is one JSON object (RFC 8259) in UTF-8, nested 1 000 deep at most; of a key that comes
 * twice the last value counts. What a column takes:
 *
 * | type          | JSON                                                                           |
 * |---------------|--------------------------------------------------------------------------------|
 * | any           | null, or no such key, or an object on the way that is null or missing: NULL    |
 * | BOOLEAN       | true, false; also as strings, whatever their case                              |
 * | TINYINT … BIGINT | a number without a fraction (5, 5.0, 5e2), exact to its last digit          |
 * | DECIMAL       | a number, exact, rounded half up to the scale                                  |
 * | FLOAT, DOUBLE | a number, rounded to the nearest                                               |
 * | STRING, CHAR, VARCHAR | a string; of other values their JSON text, as it came                  |
 * | BYTES         | a string of base64, padded                                                     |
 * | DATE, TIME    | `2026-01-31`, `23:59:59.999` (seconds and fraction optional)                   |
 * | TIMESTAMP, TIMESTAMP_LTZ | `2026-01-31 23:59:59.999`, ISO-8601, epoch milliseconds as a number |
 * | JSON, ROW     | any value, an object: their JSON text, as it came                              |
 *
 * Numbers may come in strings, with white space around them. Times without a zone are UTC; digits
 * behind milliseconds are cut off; years are 0000 to 9999. Half a surrogate pair is U+FFFD.
 *
 * Flink's format takes the same, save that it is silent where this is an error: there a fraction of
 * an INT or BIGINT is cut off, a DECIMAL of too many digits is NULL, a DOUBLE beyond its range is
 * infinite, and whatever is not true is FALSE. Zones and epoch milliseconds beside its one
 * configured form are ours; STRING compacts objects there.
 */
import { assert } from "../../base/assert.ts";
import { slotBytes } from "../memory/column-layout.ts";
import type { ColumnPlace } from "../memory/row-table.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";
import { type ValueKind, valueKindOf } from "../types/data-type.ts";
import { type DecodeError, faultCodes, faultOf } from "./decode-error.ts";
import {
  jsonColumnBytes,
  jsonColumnField,
  jsonContextBytes,
  jsonContextField,
  jsonEntryBytes,
  jsonGraphBytes,
  jsonLearnedDepthMax,
  jsonTypes,
  jsonWorkBytes,
} from "./json-layout.ts";
import { type JsonColumn, type JsonPlan, layOutJsonPlan } from "./json-plan.ts";
import { RowBuffer } from "./row-buffer.ts";

/** Numbers that the kernel leaves to the host before it stops for it. */
const deferredMax = 1024;

export interface JsonRows {
  /** Address of a slot per row: u32 address of the value, u32 length. */
  readonly slots: number;
  /** Address of a byte per row, 1 where there is no value; 0: all have one. */
  readonly nulls: number;
  readonly count: number;
  /** Address of a byte per row, for what became of each: 0 is a row; see `noValueStatus`. */
  readonly status: number;
  /** Bytes of all values together, or more. */
  readonly inputBytes: number;
}

/** What `status` holds for a record without a value: neither a row nor an error. */
export const noValueStatus = 255;

export interface JsonDecoderOptions {
  readonly host: SqliteHost;
  readonly columns: readonly JsonColumn[];
  /** Never use the shape graph: for comparisons. */
  readonly isGeneric?: boolean;
}

interface JsonKernel {
  init(context: number): void;
  decode(context: number, slots: number, nulls: number, first: number, count: number): number;
}

export class JsonDecoder {
  readonly columns: readonly JsonColumn[];
  readonly #memory: SqliteMemory;
  readonly #kernel: JsonKernel;
  readonly #plan: JsonPlan;
  readonly #context: number;
  readonly #kinds: readonly ValueKind[];
  readonly #values: readonly RowBuffer[];
  readonly #nulls: readonly RowBuffer[];
  readonly #errors: RowBuffer;
  readonly #arena: RowBuffer;
  readonly #owned: number[];

  constructor(options: JsonDecoderOptions) {
    const { host, columns } = options;
    const { memory } = host;
    this.columns = columns;
    this.#memory = memory;
    this.#kernel = host.link<JsonKernel>("json");
    this.#kinds = columns.map(({ type }) => valueKindOf(type));
    this.#values = columns.map(() => new RowBuffer(memory));
    this.#nulls = columns.map(() => new RowBuffer(memory));
    this.#errors = new RowBuffer(memory);
    this.#arena = new RowBuffer(memory);
    this.#plan = layOutJsonPlan(memory, columns);
    const capacity = deferredMax + columns.length;
    const deferred = memory.allocate(capacity * jsonEntryBytes);
    const work = memory.allocateZeroed(jsonWorkBytes);
    const graph = memory.allocate(jsonGraphBytes);
    this.#context = memory.allocateZeroed(jsonContextBytes);
    this.#owned = [deferred, work, graph, this.#context];
    this.#write("columns", this.#plan.columns);
    this.#write("columnCount", columns.length);
    this.#write("root", this.#plan.root);
    this.#write("deferred", deferred);
    this.#write("deferredCapacity", capacity);
    this.#write("work", work);
    this.#write("graph", graph);
    this.#write("graphEnd", graph + jsonGraphBytes);
    this.#write("isGeneric", options.isGeneric || this.#plan.isTooWide ? 1 : 0);
    const depths = columns.map(({ path }) => path.length);
    this.#write("graphDepth", Math.max(jsonLearnedDepthMax, ...depths) + 1);
    this.#kernel.init(this.#context);
  }

  /** Rows that the shape graph took since the beginning, and rows that it did not know. */
  get shapes(): { readonly hits: number; readonly misses: number } {
    return { hits: this.#read("hits"), misses: this.#read("misses") };
  }

  /**
   * Decodes `count` values; `place` then tells where the columns are, until the next call. Texts
   * point into the values wherever they had no escapes. `inputTailBytes` bytes that begin with 128
   * quotation marks follow the memory of the values. Gives the rows that are wrong, in order.
   */
  decode(rows: JsonRows): DecodeError[] {
    this.#reserve(rows);
    const errors: DecodeError[] = [];
    let done = 0;
    while (done < rows.count) {
      this.#write("errorCount", 0);
      this.#write("deferredCount", 0);
      const left = rows.count - done;
      done += this.#kernel.decode(this.#context, rows.slots, rows.nulls, done, left);
      this.#takeErrors(errors);
      this.#roundDeferred(rows, errors);
    }
    return errors.sort((a, b) => a.row - b.row);
  }

  /** Where a column of the last decode lies. */
  place(index: number): Required<Pick<ColumnPlace, "values" | "nulls">> {
    const values = this.#values[index];
    const nulls = this.#nulls[index];
    assert(values !== undefined && nulls !== undefined, `there is a column ${index}`);
    return { values: values.address, nulls: nulls.address };
  }

  free(): void {
    this.#plan.free();
    for (const address of this.#owned) this.#memory.free(address);
    for (const buffer of [...this.#values, ...this.#nulls]) buffer.free();
    this.#errors.free();
    this.#arena.free();
  }

  #reserve({ count, status, inputBytes }: JsonRows): void {
    for (const [index, kind] of this.#kinds.entries()) {
      const values = this.#values[index]?.reserve(count * slotBytes(kind)) ?? 0;
      const nulls = this.#nulls[index]?.reserve(count) ?? 0;
      const column = this.#plan.columns + index * jsonColumnBytes;
      this.#memory.writeUint32(column + jsonColumnField.values, values);
      this.#memory.writeUint32(column + jsonColumnField.nulls, nulls);
    }
    // Escapes shrink when they are decoded; the last store of 16 bytes may stick out.
    const arenaBytes = inputBytes * this.#plan.sharing + 64;
    const arena = this.#arena.reserve(arenaBytes);
    this.#write("arena", arena);
    this.#write("arenaTop", arena);
    this.#write("arenaEnd", arena + arenaBytes);
    this.#write("status", status);
    this.#write("errors", this.#errors.reserve(count * jsonEntryBytes));
  }

  #takeErrors(errors: DecodeError[]): void {
    const { view } = this.#memory;
    const count = this.#read("errorCount");
    for (let index = 0; index < count; index++) {
      const at = this.#errors.address + index * jsonEntryBytes;
      const column = view.getUint32(at + 8, true);
      errors.push({
        row: view.getUint32(at, true),
        fault: faultOf(view.getUint32(at + 4, true)),
        column: column === 0 ? null : this.#indexOf(column),
        position: view.getUint32(at + 12, true),
      });
    }
  }

  /** Rounds the numbers that the kernel could not; a JavaScript engine does it right. */
  #roundDeferred({ slots, status }: JsonRows, errors: DecodeError[]): void {
    const count = this.#read("deferredCount");
    const deferred = this.#read("deferred");
    const { view, bytes } = this.#memory;
    for (let index = 0; index < count; index++) {
      const at = deferred + index * jsonEntryBytes;
      const column = view.getUint32(at, true);
      const row = view.getUint32(at + 4, true);
      const start = view.getUint32(at + 8, true);
      const length = view.getUint32(at + 12, true);
      if (length === 0 || bytes[status + row] !== 0) continue;
      const isFloat = view.getUint32(column + jsonColumnField.type, true) === jsonTypes.float;
      const number = Number(this.#memory.text(start, length));
      const value = isFloat ? Math.fround(number) : number;
      if (Number.isFinite(value)) {
        const values = view.getUint32(column + jsonColumnField.values, true);
        view.setFloat64(values + 8 * row, value, true);
        continue;
      }
      const valueStart = view.getUint32(slots + 8 * row, true);
      const isInside =
        start >= valueStart && start < valueStart + view.getUint32(slots + 8 * row + 4, true);
      bytes[status + row] = faultCodes.outOfRange;
      errors.push({
        row,
        fault: "outOfRange",
        column: this.#indexOf(column),
        position: isInside ? start - valueStart : 0,
      });
    }
  }

  #indexOf(column: number): number {
    return (column - this.#plan.columns) / jsonColumnBytes;
  }

  #read(field: keyof typeof jsonContextField): number {
    return this.#memory.readUint32(this.#context + jsonContextField[field]);
  }

  #write(field: keyof typeof jsonContextField, value: number): void {
    this.#memory.writeUint32(this.#context + jsonContextField[field], value);
  }
}
