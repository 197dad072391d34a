/** What the parts of the vector compiler share. */
import type { Scalar } from "../plan/scalar.ts";
import type { ValueKind } from "../types/data-type.ts";
import type { VectorCode } from "./vector-code.ts";

/** What the kernel has no instruction for. */
export class NotCovered extends Error {
  override readonly name = "NotCovered";
}

export interface VectorCompiler {
  readonly code: VectorCode;
  readonly timeZone: string;
  /** @throws NotCovered */
  readonly compile: (scalar: Scalar) => number;
}

export type ScalarCall = Extract<Scalar, { readonly kind: "call" }>;

/** `typeof` the value of a literal of each kind. */
export const literalTypes: Readonly<Record<ValueKind, string>> = {
  integer: "bigint",
  real: "number",
  text: "string",
  blob: "object",
  wide: "object",
};

/** `first` where `test` is TRUE (or is NULL), else `second`. */
export function choose(
  { code }: VectorCompiler,
  choice: {
    readonly kind: ValueKind;
    readonly test: number;
    readonly first: number;
    readonly second: number;
    readonly isByNull?: boolean;
  },
): number {
  const { kind, test, first, second, isByNull = false } = choice;
  for (const each of [first, second]) {
    if (code.kindOf(each) !== kind && !code.isNull(each)) throw new NotCovered();
  }
  const operation = kind === "wide" ? "chooseWide" : "choose";
  return code.emit(operation, kind, { a: test, b: first, c: second, n: isByNull ? 1 : 0 });
}

/** Both sides are of one kind, or NULL; `n` is the kernel's number of the comparison. */
export function compare(
  { code, compile }: VectorCompiler,
  args: readonly Scalar[],
  n: number,
): number {
  const [a, b] = args.map(compile);
  if (a === undefined || b === undefined || args.length !== 2) throw new NotCovered();
  const kind = code.isNull(a) ? code.kindOf(b) : code.kindOf(a);
  if (![a, b].every((each) => code.isNull(each) || code.kindOf(each) === kind)) {
    throw new NotCovered();
  }
  switch (kind) {
    case "integer":
      return code.emit("compareIntegers", "integer", { a, b, n });
    case "real":
      return code.emit("compareReals", "integer", { a, b, n });
    case "text":
      return code.emit("compareTexts", "integer", { a, b, n });
    case "wide":
      return code.emit("compareWide", "integer", { a, b, n });
    case "blob":
      throw new NotCovered();
  }
}
