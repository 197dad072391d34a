/**
 * The columns that rows become on their way out as Arrow. A DATE is Date32, a TIME milliseconds in
 * 32 bits, a timestamp milliseconds in 64.
 */
export type ArrowColumnType =
  | { readonly kind: "bool" }
  | { readonly kind: "int"; readonly bits: 8 | 16 | 32 | 64 }
  | { readonly kind: "float"; readonly bits: 32 | 64 }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly kind: "text" }
  /** In JSON, base64. */
  | { readonly kind: "binary" }
  | { readonly kind: "date" }
  | { readonly kind: "time" }
  | { readonly kind: "timestamp"; readonly isUtc: boolean }
  /** Text that is itself JSON: any value's source. */
  | { readonly kind: "json" };

export interface ArrowColumn {
  readonly name: string;
  readonly type: ArrowColumnType;
}
