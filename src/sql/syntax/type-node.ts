/** Types as a statement spells them. */
import type { AstNode, Identifier } from "./node.ts";

export type IntervalUnit =
  | "YEAR"
  | "QUARTER"
  | "MONTH"
  | "WEEK"
  | "DAY"
  | "HOUR"
  | "MINUTE"
  | "SECOND";

/** Synonyms are folded: INTEGER is INT, NUMERIC is DECIMAL, TIMESTAMP WITH LOCAL TIME ZONE … . */
export type ScalarTypeName =
  | "BOOLEAN"
  | "TINYINT"
  | "SMALLINT"
  | "INT"
  | "BIGINT"
  | "FLOAT"
  | "DOUBLE"
  | "DECIMAL"
  | "CHAR"
  | "VARCHAR"
  | "STRING"
  | "BINARY"
  | "VARBINARY"
  | "BYTES"
  | "DATE"
  | "TIME"
  | "TIMESTAMP"
  | "TIMESTAMP_LTZ"
  | "JSON";

interface TypeBase extends AstNode {
  /** False after NOT NULL. */
  readonly isNullable: boolean;
}

export type TypeNode =
  | (TypeBase & {
      readonly kind: "scalar";
      readonly name: ScalarTypeName;
      /** As given: [p] or [p, s] of DECIMAL, [n] of VARCHAR, [p] of TIMESTAMP; empty: defaults. */
      readonly parameters: readonly number[];
    })
  | (TypeBase & {
      readonly kind: "interval";
      readonly from: IntervalUnit;
      readonly to: IntervalUnit | null;
    })
  | (TypeBase & { readonly kind: "row"; readonly fields: readonly TypeField[] })
  | (TypeBase & { readonly kind: "array" | "multiset"; readonly element: TypeNode })
  | (TypeBase & { readonly kind: "map"; readonly key: TypeNode; readonly value: TypeNode });

export interface TypeField extends AstNode {
  readonly name: Identifier;
  readonly type: TypeNode;
  readonly comment: string | null;
}
