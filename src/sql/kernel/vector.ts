/**
 * A program of the vector kernel (`wasm/sql/vector.ts`) in memory. It computes expressions over the
 * rows of a table, each as a column whose rows stand where the table has them. Rows that it cannot
 * compute are told apart: SQLite has the last word on them.
 *
 * One round: `start` with a table, then `run` parts of the program over lists of its rows. Lists
 * and registers are valid until the next `start`.
 */
import {
  columnBytes,
  columnField,
  kindCodes,
  slotBytes,
  tableField,
} from "../memory/column-layout.ts";
import type { RowTable } from "../memory/row-table.ts";
import type { SqlValue } from "../plan/scalar.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";
import type { ValueKind } from "../types/data-type.ts";
import { decodeWide } from "../types/decimal.ts";
import { RowBuffer } from "./row-buffer.ts";
import {
  shareMemory,
  type VectorCode,
  type VectorInstruction,
  type VectorRegister,
  vectorOperations,
} from "./vector-code.ts";

interface VectorKernel {
  run(program: number, first: number, end: number, rows: number, count: number): void;
  pass(program: number, test: number, rows: number, count: number, to: number): number;
  listFailed(program: number, rows: number, count: number, to: number): number;
  mergeRows(a: number, aCount: number, b: number, bCount: number, to: number): void;
  takeCells(target: number, source: number, rows: number, count: number): void;
  clear(program: number): void;
  release(program: number): void;
}

/** Row numbers, ascending, u32 each. */
export interface RowList {
  readonly address: number;
  readonly count: number;
}

const keptPlacesMax = 1 << 17;

const programBytes = 32;
const instructionBytes = 48;
const nullBytesField = 24;

const programField = { instructions: 0, failed: 4, failedCount: 8, zero: 24, one: 25 } as const;

const instructionField = {
  operation: 0,
  target: 4,
  a: 8,
  b: 12,
  c: 16,
  n: 20,
  low: 24,
  high: 32,
  dataBytes: 40,
  data: 44,
} as const;

/** What instructions write of one register, or of several that never live together. */
interface RegisterMemory {
  readonly kind: ValueKind;
  readonly values: RowBuffer;
  readonly nulls: RowBuffer;
  readonly registers: number[];
}

const kernels = new WeakMap<SqliteHost, VectorKernel>();

export class VectorProgram {
  readonly #memory: SqliteMemory;
  readonly #kernel: VectorKernel;
  readonly #registers: readonly VectorRegister[];
  readonly #program: number;
  readonly #columns: number;
  readonly #owned: number[] = [];
  readonly #memories: readonly RegisterMemory[];
  readonly #failed: RowBuffer;
  readonly #numbers: RowBuffer;
  readonly #lists = new Map<string, RowBuffer>();
  #capacity = 0;
  #numbered = 0;

  /** `kept`: the registers that are read after a run; others may share memory. */
  constructor(host: SqliteHost, code: VectorCode, kept: Iterable<number>) {
    const { memory } = host;
    let kernel = kernels.get(host);
    kernel ??= host.link<VectorKernel>("vector");
    kernels.set(host, kernel);
    this.#memory = memory;
    this.#kernel = kernel;
    this.#registers = code.registers;
    this.#failed = new RowBuffer(memory);
    this.#numbers = new RowBuffer(memory);
    this.#program = this.#own(programBytes);
    memory.bytes[this.#program + programField.one] = 1;
    this.#columns = this.#own(columnBytes * code.registers.length);
    for (const [register, each] of code.registers.entries()) this.#describe(register, each);
    this.#memories = memoriesOf(memory, code, new Set(kept));
    this.#writeInstructions(code.instructions);
  }

  /** Begins with the rows of `table`, which stay until the round is over, and lists them all. */
  start(table: RowTable): RowList {
    const { rowCount, selection } = table;
    const memory = this.#memory;
    const isPlain = selection === 0 || rowCount === 0;
    const places = isPlain ? rowCount : memory.readUint32(selection + 4 * (rowCount - 1)) + 1;
    this.#kernel.clear(this.#program);
    this.#reserve(places);
    memory.bytes.fill(0, this.#failed.address, this.#failed.address + places);
    memory.writeUint32(this.#program + programField.failedCount, 0);
    const columns = memory.readUint32(table.address + tableField.columns);
    for (const [register, each] of this.#registers.entries()) {
      if (each.from !== "input") continue;
      const from = columns + columnBytes * each.column;
      memory.bytes.copyWithin(this.register(register), from, from + columnBytes);
    }
    const address = selection === 0 ? this.#firstNumbers(rowCount) : selection;
    return { address, count: rowCount };
  }

  /** Runs the instructions from `first` to before `end`. */
  run(first: number, end: number, rows: RowList): void {
    if (first === end || rows.count === 0) return;
    this.#kernel.run(this.#program, first, end, rows.address, rows.count);
  }

  /** Whether a row has failed since the start. */
  get hasFailed(): boolean {
    return this.#memory.readUint32(this.#program + programField.failedCount) > 0;
  }

  /** The rows that did not fail and for which the register `test`, if not null, is TRUE. */
  pass(test: number | null, rows: RowList): RowList {
    const to = this.#list(test === null ? "computed" : "filtered", rows.count);
    const column = test === null ? 0 : this.register(test);
    const count = this.#kernel.pass(this.#program, column, rows.address, rows.count, to);
    return { address: to, count };
  }

  /** The rows that failed; `name` is where they are kept. */
  failed(name: "failedFilter" | "failedRest", rows: RowList): RowList {
    const to = this.#list(name, rows.count);
    const count = this.#kernel.listFailed(this.#program, rows.address, rows.count, to);
    return { address: to, count };
  }

  /** The rows of both lists, which have none in common. `name` is where it is kept. */
  merge(name: "failures" | "result", a: RowList, b: RowList): RowList {
    if (a.count === 0) return b;
    if (b.count === 0) return a;
    const count = a.count + b.count;
    const to = this.#list(name, count);
    this.#kernel.mergeRows(a.address, a.count, b.address, b.count, to);
    return { address: to, count };
  }

  /** Address of the Column of a register. */
  register(register: number): number {
    return this.#columns + columnBytes * register;
  }

  /** Takes cells that SQLite computed, at the places of their rows, into a register. */
  take(register: number, column: number, rows: RowList): void {
    // What no instruction writes is the same for SQLite: a constant, or a column of the input.
    if (this.#registers[register]?.from !== "instruction") return;
    this.#kernel.takeCells(this.register(register), column, rows.address, rows.count);
  }

  free(): void {
    this.#kernel.release(this.#program);
    for (const { values, nulls } of this.#memories) {
      values.free();
      nulls.free();
    }
    for (const list of this.#lists.values()) list.free();
    this.#failed.free();
    this.#numbers.free();
    for (const address of this.#owned) this.#memory.free(address);
  }

  #own(bytes: number): number {
    const address = this.#memory.allocateZeroed(bytes);
    this.#owned.push(address);
    return address;
  }

  #list(name: string, count: number): number {
    let list = this.#lists.get(name);
    list ??= new RowBuffer(this.#memory);
    this.#lists.set(name, list);
    // The kernel writes one number more than it keeps.
    return list.reserve(4 * (count + 1));
  }

  /** Address of the numbers 0, 1, 2, … */
  #firstNumbers(count: number): number {
    if (count <= this.#numbered) return this.#numbers.address;
    const address = this.#numbers.reserve(4 * count);
    const numbers = new Uint32Array(this.#memory.bytes.buffer, address, count);
    for (let row = 0; row < count; row++) numbers[row] = row;
    this.#numbered = count;
    return address;
  }

  /** Makes room for rows numbered below `places`. */
  #reserve(places: number): void {
    const failed = this.#failed.reserve(places);
    this.#memory.writeUint32(this.#program + programField.failed, failed);
    // After a batch out of the ordinary its memory is given back.
    const isExcess = this.#capacity > keptPlacesMax && places < this.#capacity / 8;
    if (places <= this.#capacity && !isExcess) return;
    this.#capacity = Math.ceil(places * 1.25);
    for (const { kind, values, nulls, registers } of this.#memories) {
      values.reserve(slotBytes(kind) * this.#capacity);
      nulls.reserve(this.#capacity);
      for (const register of registers) {
        const at = this.register(register);
        this.#memory.writeUint32(at + columnField.values, values.address);
        this.#memory.writeUint32(at + nullBytesField, nulls.address);
      }
    }
  }

  #describe(register: number, { from, kind }: VectorRegister): void {
    const at = this.register(register);
    const { view } = this.#memory;
    view.setUint32(at + columnField.kind, kindCodes[kind], true);
    view.setUint32(at + columnField.stride, slotBytes(kind), true);
    view.setUint32(at + columnField.nullStride, 1, true);
    const each = this.#registers[register];
    if (from === "constant" && each?.from === "constant") this.#placeConstant(at, each);
  }

  #placeConstant(
    at: number,
    { kind, values }: { readonly kind: ValueKind; readonly values: readonly SqlValue[] },
  ): void {
    const slots = this.#own(Math.max(16, slotBytes(kind) * values.length));
    for (const [index, value] of values.entries()) {
      this.#placeValue(slots + slotBytes(kind) * index, value);
    }
    const { view } = this.#memory;
    view.setUint32(at + columnField.values, slots, true);
    view.setUint32(at + columnField.stride, 0, true);
    if (values[0] !== null) return;
    view.setUint32(at + columnField.nulls, this.#program + programField.one, true);
    view.setUint32(at + columnField.nullStride, 0, true);
  }

  #placeValue(slot: number, value: SqlValue): void {
    if (value === null) return;
    if (typeof value === "string") {
      const { address, length } = this.#memory.placeText(value);
      this.#owned.push(address);
      this.#memory.writeUint32(slot, address);
      this.#memory.writeUint32(slot + 4, length);
      return;
    }
    const { view } = this.#memory;
    if (typeof value === "number") view.setFloat64(slot, value, true);
    else if (typeof value === "bigint") view.setBigInt64(slot, value, true);
    else {
      const wide = decodeWide(value);
      view.setBigUint64(slot, BigInt.asUintN(64, wide), true);
      view.setBigInt64(slot + 8, wide >> 64n, true);
    }
  }

  #writeInstructions(instructions: readonly VectorInstruction[]): void {
    const address = this.#own(Math.max(1, instructions.length) * instructionBytes);
    this.#memory.writeUint32(this.#program + programField.instructions, address);
    for (const [index, instruction] of instructions.entries()) {
      this.#writeInstruction(address + instructionBytes * index, instruction);
    }
  }

  #writeInstruction(at: number, instruction: VectorInstruction): void {
    const { operation, target, a, b, c, n = 0, low = 0n, high = 0n, data } = instruction;
    const place = data === undefined ? 0 : this.#memory.place(data);
    if (place !== 0) this.#owned.push(place);
    const { view } = this.#memory;
    const column = (register = -1) => (register < 0 ? 0 : this.register(register));
    view.setUint32(at, vectorOperations.indexOf(operation), true);
    view.setUint32(at + instructionField.target, column(target), true);
    view.setUint32(at + instructionField.a, column(a), true);
    view.setUint32(at + instructionField.b, column(b), true);
    view.setUint32(at + instructionField.c, column(c), true);
    view.setUint32(at + instructionField.n, n, true);
    view.setBigInt64(at + instructionField.low, low, true);
    view.setBigInt64(at + instructionField.high, high, true);
    view.setUint32(at + instructionField.dataBytes, data?.length ?? 0, true);
    view.setUint32(at + instructionField.data, place, true);
  }
}

function memoriesOf(
  memory: SqliteMemory,
  code: VectorCode,
  kept: ReadonlySet<number>,
): RegisterMemory[] {
  const memories = new Map<number, RegisterMemory>();
  for (const [register, number] of shareMemory(code, kept)) {
    const known = memories.get(number);
    if (known !== undefined) {
      known.registers.push(register);
      continue;
    }
    const kind = code.kindOf(register);
    const [values, nulls] = [new RowBuffer(memory), new RowBuffer(memory)];
    memories.set(number, { kind, values, nulls, registers: [register] });
  }
  return [...memories.values()];
}
