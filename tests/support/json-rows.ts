/** Values for the JSON kernel, laid out as records lie in a batch, and its columns as JavaScript. */
import { assert } from "../../src/base/assert.ts";
import type { DecodeError } from "../../src/sql/kernel/decode-error.ts";
import { JsonDecoder, noValueStatus } from "../../src/sql/kernel/json-decoder.ts";
import { inputTailBytes } from "../../src/sql/kernel/json-layout.ts";
import type { JsonColumn } from "../../src/sql/kernel/json-plan.ts";
import type { SqlValue } from "../../src/sql/plan/scalar.ts";
import type { SqliteHost } from "../../src/sql/sqlite/host.ts";
import { valueKindOf } from "../../src/sql/types/data-type.ts";

export interface DecodedJson {
  /** By row, by column; undefined where the row is wrong, null where there was no value. */
  readonly rows: readonly (readonly SqlValue[] | null | undefined)[];
  readonly errors: readonly DecodeError[];
}

/** What lies between two values in a batch: the next record's framing. */
const framing = new Uint8Array([0, 0x82, 0x04, 0, 0, 0x0a, 1, 0xfe, 0x03]);

export class JsonRowReader {
  readonly decoder: JsonDecoder;
  readonly #host: SqliteHost;

  constructor(host: SqliteHost, columns: readonly JsonColumn[], isGeneric = false) {
    this.#host = host;
    this.decoder = new JsonDecoder({ host, columns, isGeneric });
  }

  /** Decodes values, null being a record without one, and takes everything out of the memory. */
  decode(values: readonly (Uint8Array | string | null)[]): DecodedJson {
    const { memory } = this.#host;
    const encoder = new TextEncoder();
    const all = values.map((each) => (typeof each === "string" ? encoder.encode(each) : each));
    const bytes = all.reduce((sum, each) => sum + (each?.length ?? 0) + framing.length, 0);
    const input = memory.allocate(bytes + inputTailBytes);
    const slots = memory.allocateZeroed(8 * all.length);
    const nulls = memory.allocateZeroed(all.length);
    const status = memory.allocateZeroed(all.length);
    let at = input;
    for (const [row, value] of all.entries()) {
      memory.bytes[nulls + row] = value === null ? 1 : 0;
      memory.bytes.set(value ?? [], at);
      memory.writeUint32(slots + 8 * row, at);
      memory.writeUint32(slots + 8 * row + 4, value?.length ?? 0);
      at += value?.length ?? 0;
      memory.bytes.set(framing, at);
      at += framing.length;
    }
    memory.bytes.fill(34, at, at + inputTailBytes);
    const rows = { slots, nulls, status, count: all.length, inputBytes: bytes };
    const errors = this.decoder.decode(rows);
    const statuses = memory.take(status, all.length);
    const decoded = Array.from(statuses, (each, row) => {
      if (each === noValueStatus) return null;
      return each === 0 ? this.#row(row) : undefined;
    });
    for (const address of [input, slots, nulls, status]) memory.free(address);
    return { rows: decoded, errors };
  }

  #row(row: number): SqlValue[] {
    return this.decoder.columns.map((column, index) => {
      const { values, nulls } = this.decoder.place(index);
      return cellAt(this.#host, { kind: valueKindOf(column.type), values, nulls, row });
    });
  }
}

/** One cell of a column as JavaScript has it; a wide value as a bigint. */
function cellAt(
  { memory }: SqliteHost,
  cell: { kind: string; values: number; nulls: number; row: number },
): SqlValue {
  const { kind, values, nulls, row } = cell;
  const { view, bytes } = memory;
  if (nulls !== 0 && bytes[nulls + row] !== 0) return null;
  switch (kind) {
    case "integer":
      return view.getBigInt64(values + 8 * row, true);
    case "real":
      return view.getFloat64(values + 8 * row, true);
    case "wide": {
      const at = values + 16 * row;
      return (view.getBigInt64(at + 8, true) << 64n) | view.getBigUint64(at, true);
    }
    default: {
      const address = view.getUint32(values + 8 * row, true);
      const length = view.getUint32(values + 8 * row + 4, true);
      assert(address + length <= bytes.length, "a text lies in the memory");
      return kind === "blob" ? memory.take(address, length) : memory.text(address, length);
    }
  }
}
