/**
 * Functions that SQLite calls and that are ours: what `lower` writes into expressions as `mr_…`.
 * The host registers each under its name. `call` is the meaning; a native twin in the function
 * kernel, where there is one, must not differ from it.
 */
import type { SqlValue } from "../plan/scalar.ts";

export interface HostFunction {
  readonly name: string;
  /** −1: any number. */
  readonly argumentCount: number;
  /** Throws a RowError where the row is at fault. */
  readonly call: (args: readonly SqlValue[]) => SqlValue;
}

/** A function that sees its NULLs. */
export function hosted(
  name: string,
  argumentCount: number,
  call: (...args: SqlValue[]) => SqlValue,
): HostFunction {
  return { name, argumentCount, call: (args) => call(...args) };
}

/** A function that is NULL where an argument is. */
export function strict(
  name: string,
  argumentCount: number,
  call: (...args: NotNull[]) => SqlValue,
): HostFunction {
  return {
    name,
    argumentCount,
    call: (args) => {
      const present: NotNull[] = [];
      for (const arg of args) {
        if (arg === null) return null;
        present.push(arg);
      }
      return call(...present);
    },
  };
}

export type NotNull = Exclude<SqlValue, null>;

const decoder = new TextDecoder();

export function text(value: SqlValue | undefined): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return decoder.decode(value);
  return String(value);
}

export function integer(value: SqlValue | undefined): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return BigInt(Math.trunc(value));
  throw new TypeError(`A ${typeof value} came where an integer was planned`);
}

/** Of a DOUBLE, or of an integer that is known to be small. */
export function number(value: SqlValue | undefined): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  throw new TypeError(`A ${typeof value} came where a number was planned`);
}

export function bytes(value: SqlValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`A ${typeof value} came where BYTES were planned`);
}

export function flag(value: boolean): bigint {
  return value ? 1n : 0n;
}
