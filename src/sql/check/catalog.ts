/** What the checker knows of streams, tables and views; the engine implements the port. */
import type { StartupMode } from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import type { Query } from "../syntax/ast.ts";
import type { DataType } from "../types/data-type.ts";

export interface Catalog {
  lookup(name: string): CatalogEntry | undefined;
  /** For the nearest name. */
  names(): Iterable<string>;
}

export type CatalogEntry = StreamEntry | ViewEntry;

/** A topic with columns: also what a materialized view writes to. */
export interface StreamEntry {
  readonly kind: "stream" | "table" | "materialized view";
  readonly name: string;
  readonly topic: string;
  readonly format: "json" | "raw";
  readonly columns: readonly StreamColumn[];
  /** Names of columns; empty: none. */
  readonly primaryKey: readonly string[];
  /** `append`: every record is a row of its own; `update`: it replaces the row of its key. */
  readonly changes: "append" | "update";
  readonly watermark: { readonly column: string; readonly delayMs: number } | null;
  readonly startup: StartupMode;
  readonly idleTimeoutMs: number;
  /** WITH as it was given, checked. */
  readonly options: Readonly<Record<string, string>>;
}

export type MetadataField = "topic" | "partition" | "offset" | "timestamp" | "key" | "headers";

export interface StreamColumn {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
  readonly from:
    | { readonly kind: "value" }
    | { readonly kind: "metadata"; readonly field: MetadataField; readonly isVirtual: boolean }
    | { readonly kind: "proctime" }
    /** Over the stream's columns that are not computed, by their place in `columns`. */
    | { readonly kind: "computed"; readonly expression: Scalar };
}

export interface ViewEntry {
  readonly kind: "view";
  readonly name: string;
  /** Empty: the query's own. */
  readonly columns: readonly string[];
  readonly query: Query;
  /** What the query's spans point into. */
  readonly text: string;
}
