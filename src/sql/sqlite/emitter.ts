/**
 * Rows as records: values and keys are JSON objects by column name, in Flink's JSON format. The
 * kernel is `wasm/sql/emit.ts`; the batch around the records is `record/batch-encode.ts`.
 */
import { assert } from "../../base/assert.ts";
import type { StreamError } from "../../base/stream-error.ts";
import { batchHeaderBytes } from "../../record/batch-layout.ts";
import type { RowTable } from "../memory/row-table.ts";
import { type DataType, narrowDecimalDigitsMax } from "../types/data-type.ts";
import { sqliteCode } from "./exports.ts";
import type { SqliteHost } from "./host.ts";
import type { SqliteMemory } from "./memory.ts";
import { formatReal } from "./real-text.ts";
import type { SqliteStatement } from "./statement.ts";

export interface EmitField {
  /** Name in the JSON object. */
  readonly name: string;
  readonly type: DataType;
  /** Place in the rows. */
  readonly column: number;
}

export interface EmitOptions {
  readonly value: readonly EmitField[];
  /** None: records have no key; where rows are taken back, the one row has an empty key. */
  readonly key: readonly EmitField[];
  /** Milliseconds since 1970; NULL: as without a column, and one before 1970 becomes 1970. */
  readonly timestampColumn?: number;
  /** Integer: below 0 a row is taken back, which makes a tombstone; 0: it is no record. */
  readonly weightColumn?: number;
  /** Bytes of records given at once. A single record that is larger comes alone. */
  readonly chunkBytes?: number;
  /** Of a batch around a chunk, if that is less. */
  readonly batchBytesMax?: number;
  /** A chunk that is not full waits for rows to come, and is given by `take`. */
  readonly isHeldOpen?: boolean;
}

/** Records as a batch holds them, to be put into one before anything calls into WebAssembly. */
export interface RecordChunk {
  /** A view of shared memory. */
  readonly records: Uint8Array;
  readonly recordCount: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
}

export type EmitOutcome =
  /** There is more: call again. */
  | { readonly kind: "full"; readonly chunk: RecordChunk }
  /** All rows were written, the last of them in `chunk`, if it is not null and not held open. */
  | { readonly kind: "done"; readonly chunk: RecordChunk | null }
  /** A row failed: see `Collector`. Records of the rows before it are in `chunk`. */
  | { readonly kind: "failed"; readonly chunk: RecordChunk | null; readonly error: StreamError };

interface EmitKernel {
  emit(emitter: number, chunkBytes: number): number;
}

const emitterBytes = 128;
const fieldBytes = 24;
const wrongKind = 1000;
/** Room behind a chunk for a record that does not fit into it any more, of usual size. */
const spareBytes = 64 * 1024;
/** With a batch's header it is within `max.message.bytes`, which is a little over 1 MiB. */
const defaultChunkBytes = 1024 * 1024 - 1024;

/** Bytes of the first record's lengths: its own, its key's and its value's. */
const firstWidths = 2 | (1 << 8) | (2 << 16);

/** Places in the kernel's Emitter. */
const field = {
  table: 0,
  statement: 4,
  fields: 8,
  keyFields: 16,
  timeColumn: 24,
  weightColumn: 28,
  buffer: 32,
  bufferBytes: 36,
  isWaiting: 40,
  recordCount: 64,
  usedBytes: 68,
  baseTimestamp: 72,
  maxTimestamp: 80,
  row: 88,
  wrongColumn: 92,
  widths: 100,
  fixedTimestamp: 104,
} as const;

const kernels = new WeakMap<SqliteHost, EmitKernel>();

export class Emitter {
  readonly #memory: SqliteMemory;
  readonly #kernel: EmitKernel;
  readonly #address: number;
  readonly #owned: number[] = [];
  #statement: SqliteStatement | null = null;
  readonly #chunkBytes: number;
  readonly #isHeldOpen: boolean;

  constructor(host: SqliteHost, options: EmitOptions) {
    const { weightColumn = -1, timestampColumn = -1 } = options;
    assert(options.value.length > 0, "a value has a column");
    this.#memory = host.memory;
    this.#kernel = kernelOf(host);
    this.#address = this.#memory.allocateZeroed(emitterBytes);
    const { chunkBytes = defaultChunkBytes, batchBytesMax = Number.POSITIVE_INFINITY } = options;
    this.#chunkBytes = Math.max(0, Math.min(chunkBytes, batchBytesMax - batchHeaderBytes));
    this.#isHeldOpen = options.isHeldOpen ?? false;
    this.#takeBuffer();
    this.#set(field.widths, firstWidths);
    this.#set(field.timeColumn, timestampColumn);
    this.#set(field.weightColumn, weightColumn);
    this.#placeFields(field.fields, options.value);
    this.#placeFields(field.keyFields, options.key);
  }

  /** Begins with the rows of a statement; `timestamp` is that of all records without a column. */
  startStatement(statement: SqliteStatement, timestamp = -1): void {
    this.#start({ table: 0, statement: statement.address, row: 0, timestamp });
    this.#statement = statement;
  }

  /** Begins with the rows of a table, from its `first` on; they stay until all are written. */
  startTable(table: RowTable, timestamp = -1): void {
    this.#start({ table: table.address, statement: 0, row: table.first, timestamp });
    this.#statement = null;
  }

  #start(source: { table: number; statement: number; row: number; timestamp: number }): void {
    this.#set(field.table, source.table);
    this.#set(field.statement, source.statement);
    this.#set(field.row, source.row);
    this.#set(field.isWaiting, 0);
    const isEmpty = this.#get(field.recordCount) === 0;
    if (isEmpty && this.#get(field.bufferBytes) > 2 * (this.#chunkBytes + spareBytes)) {
      this.#memory.free(this.#get(field.buffer));
      this.#takeBuffer();
    }
    const at = this.#address + field.fixedTimestamp;
    this.#memory.view.setBigInt64(at, BigInt(source.timestamp), true);
  }

  /**
   * Writes what rows there are, up to a chunk. A statement that failed is reset by the caller, and
   * goes on with the next call.
   * @throws StreamError `sql_memory_exceeded`
   */
  next(): EmitOutcome {
    const code = this.#kernel.emit(this.#address, this.#chunkBytes);
    const chunk = this.#isHeldOpen && code !== sqliteCode.row ? null : this.take();
    if (code === sqliteCode.done) return { kind: "done", chunk };
    if (code === sqliteCode.row) {
      assert(chunk !== null, "what does not fit stands behind what does");
      return { kind: "full", chunk };
    }
    if (code === sqliteCode.noMemory) throw this.#memory.exceeded("write a query's records");
    if (code === wrongKind || this.#statement === null) {
      const column = this.#get(field.wrongColumn);
      assert(false, `column ${column} has the kind that was planned (${code})`);
    }
    return { kind: "failed", chunk, error: this.#statement.failure(code) };
  }

  /** Bytes of the chunk that is held open. */
  get heldBytes(): number {
    return this.#get(field.usedBytes);
  }

  /** The chunk as it is; null: there is none. Its bytes are good until the next call. */
  take(): RecordChunk | null {
    const recordCount = this.#get(field.recordCount);
    if (recordCount === 0) return null;
    const start = this.#get(field.buffer);
    const end = start + this.#get(field.usedBytes);
    this.#set(field.recordCount, 0);
    this.#set(field.usedBytes, 0);
    return {
      records: this.#memory.bytes.subarray(start, end),
      recordCount,
      baseTimestamp: this.#getTime(field.baseTimestamp),
      maxTimestamp: this.#getTime(field.maxTimestamp),
    };
  }

  /** What a record larger than a chunk made of the buffer is not kept for others. */
  #takeBuffer(): void {
    const bytes = this.#chunkBytes + spareBytes;
    this.#set(field.buffer, 0);
    this.#set(field.buffer, this.#memory.allocate(bytes));
    this.#set(field.bufferBytes, bytes);
  }

  #placeFields(at: number, fields: readonly EmitField[]): void {
    const list = this.#memory.allocateZeroed(fieldBytes * fields.length);
    this.#owned.push(list);
    for (const [index, each] of fields.entries()) {
      const prefix = `${index === 0 ? "{" : ","}${JSON.stringify(each.name)}:`;
      const { address, length } = this.#memory.placeText(prefix);
      this.#owned.push(address);
      const scale = each.type.kind === "decimal" ? each.type.scale : 0;
      const words = [each.column, formatOf(each.type), address, length, scale];
      for (const [word, value] of words.entries()) {
        this.#memory.writeUint32(list + fieldBytes * index + 4 * word, value);
      }
    }
    this.#set(at, list);
    this.#set(at + 4, fields.length);
  }

  #set(at: number, value: number): void {
    this.#memory.writeUint32(this.#address + at, value);
  }

  #get(at: number): number {
    return this.#memory.readUint32(this.#address + at);
  }

  #getTime(at: number): number {
    return Number(this.#memory.view.getBigInt64(this.#address + at, true));
  }

  free(): void {
    for (const address of this.#owned) this.#memory.free(address);
    this.#memory.free(this.#get(field.buffer));
    this.#memory.free(this.#address);
  }
}

function kernelOf(host: SqliteHost): EmitKernel {
  const known = kernels.get(host);
  if (known !== undefined) return known;
  const kernel = host.link<EmitKernel>("emit", {
    formatReal(value: number, isFloat: number, to: number): number {
      const text = formatReal(value, isFloat !== 0);
      const { bytes } = host.memory;
      for (let index = 0; index < text.length; index++) bytes[to + index] = text.charCodeAt(index);
      return text.length;
    },
  });
  kernels.set(host, kernel);
  return kernel;
}

/** The kernel's number of how a type is written. */
function formatOf(type: DataType): number {
  switch (type.kind) {
    case "float":
      return 2;
    case "double":
      return 1;
    case "boolean":
      return 3;
    case "char":
    case "varchar":
      return 4;
    case "json":
    case "row":
      return 5;
    case "bytes":
      return 6;
    case "timestamp":
      return 7;
    case "timestampLtz":
      return 8;
    case "date":
      return 9;
    case "time":
      return 10;
    case "decimal":
      return type.precision <= narrowDecimalDigitsMax ? 11 : 12;
    default:
      return 0;
  }
}
