/**
 * Programs of the vector kernel before they have memory: instructions over registers. A register is
 * a column of the input, a constant, or what an instruction writes. The kernel is
 * `wasm/sql/vector.ts`, which numbers the operations as they stand here.
 */
import type { SqlValue } from "../plan/scalar.ts";
import type { ValueKind } from "../types/data-type.ts";

export const vectorOperations = [
  "compareIntegers",
  "compareReals",
  "compareTexts",
  "compareWide",
  "testNull",
  "testTruth",
  "negateTruth",
  "joinTruths",
  "choose",
  "chooseWide",
  "inIntegers",
  "inTexts",
  "checkReal",
  "computeIntegers",
  "computeReals",
  "computeDecimals",
  "castDecimal",
  "castInteger",
  "castReal",
  "splitTime",
  "moveTime",
  "timeField",
  "mapCase",
  "charLength",
  "matchText",
  "splitPart",
  "joinTexts",
  "formatTimes",
  "testMatch",
  "extractMatch",
] as const;

export type VectorOperation = (typeof vectorOperations)[number];

export type VectorRegister =
  | { readonly from: "input"; readonly kind: ValueKind; readonly column: number }
  /** One value for every row, or a list that an instruction looks into. */
  | { readonly from: "constant"; readonly kind: ValueKind; readonly values: readonly SqlValue[] }
  | { readonly from: "instruction"; readonly kind: ValueKind };

/** Places of registers; what an operation does not use is absent. */
export interface VectorOperands {
  readonly a: number;
  readonly b?: number;
  readonly c?: number;
  readonly n?: number;
  readonly low?: bigint;
  readonly high?: bigint;
  readonly data?: Uint8Array;
}

export interface VectorInstruction extends VectorOperands {
  readonly operation: VectorOperation;
  /** −1: it only marks rows. */
  readonly target: number;
}

export class VectorCode {
  readonly registers: VectorRegister[] = [];
  readonly instructions: VectorInstruction[] = [];
  /** Registers by what they hold, so that nothing is computed twice. */
  readonly #known = new Map<string, number>();

  /** The register of what `key` stands for, which `make` makes the first time. */
  once(key: string, make: () => number): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#known.set(key, made);
    return made;
  }

  /** Calls `make`; where it throws, nothing that it has added stays. */
  attempt<Result>(make: () => Result): Result {
    const registerCount = this.registers.length;
    const instructionCount = this.instructions.length;
    try {
      return make();
    } catch (cause) {
      this.registers.length = registerCount;
      this.instructions.length = instructionCount;
      for (const [key, register] of this.#known) {
        if (register >= registerCount) this.#known.delete(key);
      }
      throw cause;
    }
  }

  kindOf(register: number): ValueKind {
    const kind = this.registers[register]?.kind;
    if (kind === undefined) throw new RangeError(`There is no register ${register}`);
    return kind;
  }

  /** Whether the register is NULL for every row, and so of any kind. */
  isNull(register: number): boolean {
    const found = this.registers[register];
    return found?.from === "constant" && found.values[0] === null;
  }

  input(column: number, kind: ValueKind): number {
    return this.#add({ from: "input", kind, column });
  }

  constant(kind: ValueKind, values: readonly SqlValue[]): number {
    return this.#add({ from: "constant", kind, values });
  }

  emit(operation: VectorOperation, kind: ValueKind, operands: VectorOperands): number {
    const target = this.#add({ from: "instruction", kind });
    this.instructions.push({ operation, target, ...operands });
    return target;
  }

  check(operation: VectorOperation, operands: VectorOperands): void {
    this.instructions.push({ operation, target: -1, ...operands });
  }

  #add(register: VectorRegister): number {
    return this.registers.push(register) - 1;
  }
}

/**
 * Which registers can share memory: of each that an instruction writes the number of its memory.
 * What is in `kept` shares none.
 */
export function shareMemory(
  { registers, instructions }: VectorCode,
  kept: ReadonlySet<number>,
): ReadonlyMap<number, number> {
  const lastUse = new Map<number, number>();
  for (const [index, { a, b, c, target }] of instructions.entries()) {
    for (const each of [a, b, c, target]) if (each !== undefined) lastUse.set(each, index);
  }
  const shared = new Map<number, number>();
  const free: Record<"wide" | "narrow", number[]> = { wide: [], narrow: [] };
  let count = 0;
  for (const [index, { a, b, c, target }] of instructions.entries()) {
    if (target >= 0) {
      const { kind } = registers[target] ?? { kind: "integer" };
      shared.set(target, free[kind === "wide" ? "wide" : "narrow"].pop() ?? count++);
    }
    for (const each of new Set([a, b, c, target])) {
      const memory = each === undefined ? undefined : shared.get(each);
      if (each === undefined || memory === undefined || kept.has(each)) continue;
      if (lastUse.get(each) !== index) continue;
      free[registers[each]?.kind === "wide" ? "wide" : "narrow"].push(memory);
    }
  }
  return shared;
}
