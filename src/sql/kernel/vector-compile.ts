/**
 * Expressions as programs of the vector kernel, as far as it covers them. A program must mean what
 * `functions/lower.ts` makes of the same expression: where it cannot tell, it does not cover it,
 * and where a row is out of the ordinary, it leaves the row to SQLite.
 */
import type { Scalar } from "../plan/scalar.ts";
import { scalarKey } from "../plan/scalar-walk.ts";
import { valueKindOf } from "../types/data-type.ts";
import { compileArithmetic } from "./vector-arithmetic.ts";
import { compileCast } from "./vector-cast.ts";
import type { VectorCode } from "./vector-code.ts";
import { choose, literalTypes, NotCovered, type VectorCompiler } from "./vector-compiler.ts";
import { compileLogic } from "./vector-logic.ts";
import { compileText } from "./vector-text.ts";
import { compileTime } from "./vector-time.ts";

/** The register of an expression; null where the kernel does not cover it. */
export function compileVector(
  scalar: Scalar,
  options: { readonly code: VectorCode; readonly timeZone: string },
): number | null {
  const { code, timeZone } = options;
  const compile = (each: Scalar): number =>
    code.once(scalarKey(each), () => compileOne(each, { code, timeZone, compile }));
  try {
    return code.attempt(() => {
      const register = compile(scalar);
      if (code.kindOf(register) !== valueKindOf(scalar.type)) throw new NotCovered();
      return register;
    });
  } catch (cause) {
    if (cause instanceof NotCovered) return null;
    throw cause;
  }
}

function compileOne(scalar: Scalar, compiler: VectorCompiler): number {
  switch (scalar.kind) {
    case "column":
      return compileColumn(scalar, compiler);
    case "literal":
      return compileLiteral(scalar, compiler);
    case "cast":
      return compileCast(scalar, compiler);
    case "case":
      return compileCase(scalar, compiler);
    case "call": {
      const register =
        compileLogic(scalar, compiler) ??
        compileArithmetic(scalar, compiler) ??
        compileTime(scalar, compiler) ??
        compileText(scalar, compiler);
      if (register === null) throw new NotCovered();
      return register;
    }
  }
}

function compileColumn(
  { index, type }: Extract<Scalar, { kind: "column" }>,
  { code }: VectorCompiler,
): number {
  const kind = valueKindOf(type);
  const register = code.input(index, kind);
  if (kind === "real") code.check("checkReal", { a: register });
  return register;
}

function compileLiteral(
  { value, type }: Extract<Scalar, { kind: "literal" }>,
  { code }: VectorCompiler,
): number {
  const kind = valueKindOf(type);
  if (value !== null && typeof value !== literalTypes[kind]) throw new NotCovered();
  if (Number.isNaN(value) || (kind === "blob" && value !== null)) throw new NotCovered();
  return code.constant(kind, [value]);
}

function compileCase(
  { branches, otherwise, type }: Extract<Scalar, { kind: "case" }>,
  compiler: VectorCompiler,
): number {
  const kind = valueKindOf(type);
  let register = compiler.compile(otherwise);
  for (const { when, result } of branches.toReversed()) {
    const first = compiler.compile(result);
    register = choose(compiler, { kind, test: compiler.compile(when), first, second: register });
  }
  return register;
}
