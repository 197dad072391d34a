/**
 * Typed scalars to SQLite expressions. SQLite is the one evaluator of expressions: what a kernel
 * computes on its own must mean what this text means.
 */
import type { Scalar } from "../plan/scalar.ts";
import { lowerCast } from "./cast.ts";
import { functionByKey } from "./catalog.ts";
import { sqlLiteral } from "./literal.ts";

/** The SQLite text of an input column. */
export type ColumnText = (index: number) => string;

/** `timeZone` is the session's, which TIMESTAMP_LTZ is shown and read in. */
export function lowerScalar(scalar: Scalar, columnText: ColumnText, timeZone: string): string {
  const lower = (each: Scalar): string => lowerScalar(each, columnText, timeZone);
  switch (scalar.kind) {
    case "column":
      return columnText(scalar.index);
    case "literal":
      return sqlLiteral(scalar.value);
    case "cast":
      return lowerCast(lower(scalar.input), {
        from: scalar.input.type,
        to: scalar.type,
        isTry: scalar.isTry,
        timeZone,
      });
    case "case": {
      const branches = scalar.branches.map(
        ({ when, result }) => `WHEN ${lower(when)} THEN ${lower(result)}`,
      );
      return `(CASE ${branches.join(" ")} ELSE ${lower(scalar.otherwise)} END)`;
    }
    case "call":
      return functionByKey(scalar.name).lower(scalar.args.map(lower), {
        types: scalar.args.map(({ type }) => type),
        type: scalar.type,
        args: scalar.args,
        timeZone,
      });
  }
}
