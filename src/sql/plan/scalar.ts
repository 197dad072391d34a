/**
 * A typed scalar expression over one input row. Names are resolved and coercions are explicit: both
 * sides of a comparison, both operands of an arithmetic call, all branches of a CASE have one type.
 */
import type { DataType } from "../types/data-type.ts";

export type Scalar =
  | {
      readonly kind: "column";
      /** Place in the input's columns. */
      readonly index: number;
      readonly type: DataType;
      readonly nullable: boolean;
    }
  | {
      readonly kind: "literal";
      /** In the form of `types/data-type.ts`; integers of any kind are bigints. */
      readonly value: SqlValue;
      readonly type: DataType;
      /** What EXPLAIN shows of a value that is not known yet. */
      readonly shown?: string;
    }
  | {
      readonly kind: "call";
      /** Key in `functions/catalog.ts`: also and, or, not, isNull, eq, lt, plus, like, in … */
      readonly name: string;
      readonly args: readonly Scalar[];
      readonly type: DataType;
      readonly nullable: boolean;
    }
  | {
      readonly kind: "case";
      readonly branches: readonly { readonly when: Scalar; readonly result: Scalar }[];
      readonly otherwise: Scalar;
      readonly type: DataType;
      readonly nullable: boolean;
    }
  | {
      readonly kind: "cast";
      readonly input: Scalar;
      readonly type: DataType;
      readonly nullable: boolean;
      /** TRY_CAST: NULL where CAST makes an error row. */
      readonly isTry: boolean;
    };

/** A value as SQLite gives and takes it; a wide value is its 16-byte BLOB. */
export type SqlValue = null | bigint | number | string | Uint8Array;

export function typeOf(scalar: Scalar): DataType {
  return scalar.type;
}
