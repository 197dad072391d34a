/** Lays out for the JSON kernel what is wanted: a tree of names with columns at its leaves. */
import { assert } from "../../base/assert.ts";
import { StreamError } from "../../base/stream-error.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";
import { type DataType, narrowDecimalDigitsMax } from "../types/data-type.ts";
import {
  type JsonType,
  jsonActions,
  jsonBitsMax,
  jsonColumnBytes,
  jsonColumnField,
  jsonFieldBytes,
  jsonFieldField,
  jsonNameBytesMax,
  jsonNodeBytes,
  jsonTypes,
} from "./json-layout.ts";

export interface JsonColumn {
  /** Names from the record's object down to the value. */
  readonly path: readonly string[];
  readonly type: DataType;
  readonly nullable: boolean;
}

/** A name in the tree. */
interface Field {
  readonly name: string;
  /** Columns that take this value whole. */
  readonly columns: number[];
  readonly fields: Map<string, Field>;
}

export interface JsonPlan {
  /** Address of the columns, in the order given. */
  readonly columns: number;
  readonly root: number;
  /** Columns that may decode the same text: as many copies of it may be needed. */
  readonly sharing: number;
  /** More wanted names than the shape graph can tell apart. */
  readonly isTooWide: boolean;
  /** Gives the memory back. */
  free(): void;
}

const shifts: Readonly<Partial<Record<DataType["kind"], number>>> = {
  tinyint: 56,
  smallint: 48,
  int: 32,
  bigint: 0,
};

/** The kernel's type for a column of this type. */
function jsonTypeOf(type: DataType, path: readonly string[]): JsonType {
  switch (type.kind) {
    case "tinyint":
    case "smallint":
    case "int":
    case "bigint":
      return "integer";
    case "decimal":
      return type.precision <= narrowDecimalDigitsMax ? "decimal" : "wideDecimal";
    case "char":
    case "varchar":
      return "text";
    case "timestampLtz":
      return "timestamp";
    case "null":
    case "intervalDay":
    case "intervalYear":
      throw new StreamError(
        "invalid_request",
        `Cannot decode "${path.join(".")}" from JSON: JSON has no form of its type. Use another`,
      );
    default:
      return type.kind;
  }
}

export function layOutJsonPlan(memory: SqliteMemory, columns: readonly JsonColumn[]): JsonPlan {
  return new PlanWriter(memory, columns).write();
}

class PlanWriter {
  readonly #memory: SqliteMemory;
  readonly #columns: readonly JsonColumn[];
  readonly #root: Field = { name: "", columns: [], fields: new Map() };
  readonly #owned: number[] = [];
  #address = 0;
  #bits = 0;

  constructor(memory: SqliteMemory, columns: readonly JsonColumn[]) {
    this.#memory = memory;
    this.#columns = columns;
    for (const [index, column] of columns.entries()) this.#place(index, column.path);
  }

  write(): JsonPlan {
    this.#address = this.#allocate(jsonColumnBytes * this.#columns.length);
    for (const [index, column] of this.#columns.entries()) this.#writeColumn(index, column);
    const root = this.#writeNode(this.#root);
    return {
      columns: this.#address,
      root,
      sharing: sharingOf(this.#root),
      isTooWide: this.#bits > jsonBitsMax,
      free: () => {
        for (const address of this.#owned) this.#memory.free(address);
      },
    };
  }

  #place(index: number, path: readonly string[]): void {
    assert(path.length > 0, "a value has a name");
    let field = this.#root;
    for (const name of path) {
      const inner = field.fields.get(name) ?? { name, columns: [], fields: new Map() };
      field.fields.set(name, inner);
      field = inner;
    }
    field.columns.push(index);
  }

  #columnAddress(index: number): number {
    return this.#address + jsonColumnBytes * index;
  }

  #writeColumn(index: number, { type, path, nullable }: JsonColumn): void {
    const at = this.#columnAddress(index);
    const { view } = this.#memory;
    view.setUint32(at + jsonColumnField.type, jsonTypes[jsonTypeOf(type, path)], true);
    view.setUint32(at + jsonColumnField.isRequired, nullable ? 0 : 1, true);
    if (type.kind === "decimal") {
      const limit = 10n ** BigInt(type.precision);
      view.setUint32(at + jsonColumnField.shiftOrScale, type.scale, true);
      view.setBigUint64(at + jsonColumnField.limit, BigInt.asUintN(64, limit), true);
      view.setBigUint64(at + jsonColumnField.limit + 8, limit >> 64n, true);
    } else view.setUint32(at + jsonColumnField.shiftOrScale, shifts[type.kind] ?? 0, true);
  }

  #writeNode({ fields }: Field): number {
    const node = this.#allocate(jsonNodeBytes + jsonFieldBytes * fields.size);
    this.#memory.writeUint32(node, fields.size);
    let at = node + jsonNodeBytes;
    for (const field of fields.values()) {
      this.#writeField(at, field);
      at += jsonFieldBytes;
    }
    return node;
  }

  #writeField(at: number, field: Field): void {
    const bytes = new TextEncoder().encode(field.name);
    if (bytes.length > jsonNameBytesMax) {
      throw new StreamError(
        "invalid_request",
        `Cannot decode a field whose name has ${bytes.length} bytes: at most ${jsonNameBytesMax}`,
      );
    }
    const key = this.#allocate(bytes.length + 8);
    this.#memory.bytes.set(bytes, key);
    // Bits beyond the last are never looked at: such a plan does without the graph.
    const bit = 1n << BigInt(this.#bits % jsonBitsMax);
    this.#bits++;
    const node = field.fields.size > 0 ? this.#writeNode(field) : 0;
    const { view } = this.#memory;
    const head = view.getBigUint64(key, true);
    const headBits = 8n * BigInt(Math.min(bytes.length, 8));
    view.setUint32(at + jsonFieldField.keyLength, bytes.length, true);
    view.setUint32(at + jsonFieldField.key, key, true);
    view.setBigUint64(at + jsonFieldField.head, BigInt.asUintN(Number(headBits), head), true);
    view.setBigUint64(at + jsonFieldField.headMask, (1n << headBits) - 1n, true);
    view.setUint32(at + jsonFieldField.node, node, true);
    view.setUint32(at + jsonFieldField.someColumn, this.#columnAddress(someColumn(field)), true);
    view.setBigUint64(at + jsonFieldField.bit, bit, true);
    view.setUint32(at + jsonFieldField.action, this.#actionOf(field), true);
    this.#chain(at + jsonFieldField.column, field.columns);
  }

  /** Writes the address of the first column to `at`, and to each the next one's. */
  #chain(at: number, columns: readonly number[]): void {
    let link = at;
    for (const index of columns) {
      const column = this.#columnAddress(index);
      this.#memory.writeUint32(link, column);
      link = column + jsonColumnField.next;
    }
  }

  #actionOf({ columns, fields }: Field): number {
    const column = this.#columns[columns[0] ?? -1];
    if (column === undefined || columns.length > 1 || fields.size > 0) return jsonActions.field;
    const type = jsonTypeOf(column.type, column.path);
    if (type === "double" || type === "float") return jsonActions.real;
    if (type === "integer" || type === "text" || type === "timestamp") return jsonActions[type];
    return jsonActions.column;
  }

  #allocate(bytes: number): number {
    const address = this.#memory.allocateZeroed(bytes);
    this.#owned.push(address);
    return address;
  }
}

/** The column that an error is blamed on when a value on the way is no object. */
function someColumn(field: Field): number {
  const own = field.columns[0];
  if (own !== undefined && field.fields.size === 0) return own;
  const [inner] = field.fields.values();
  assert(inner !== undefined, "a name leads to a column");
  return someColumn(inner);
}

function sharingOf(field: Field): number {
  const inner = [...field.fields.values()].map(sharingOf);
  return Math.max(1, field.columns.length, ...inner);
}
