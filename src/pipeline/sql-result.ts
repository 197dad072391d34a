/** What a statement answers. */
import type { DataType } from "../sql/types/data-type.ts";

export interface ResultColumn {
  readonly name: string;
  readonly type: DataType;
}

export type StatementResult =
  | { readonly kind: "done"; readonly message: string }
  | RowsResult
  | {
      readonly kind: "changes";
      readonly columns: readonly ResultColumn[];
      /** Until the iteration ends, or the statement's signal aborts; or what is read is dropped. */
      readonly events: AsyncIterable<ChangeEvent>;
    };

export interface RowsResult {
  readonly kind: "rows";
  readonly columns: readonly ResultColumn[];
  /** Rows as they are found; ending the iteration early ends the query. */
  readonly rows: AsyncIterable<RowsChunk>;
}

/** EMIT CHANGES: what became of a row. */
export interface ChangeEvent {
  readonly kind: "snapshot" | "insert" | "update" | "delete";
  /** JSON text, an object by column name; of a row that goes, what it was. */
  readonly row: Uint8Array;
  /** Where a reader goes on behind this event; null where it cannot: a query that keeps nothing. */
  readonly cursor: string | null;
}

export interface RowsChunk {
  /** Each row as JSON text, an object by column name, as a result topic would hold it. */
  readonly rows: readonly Uint8Array[];
  /** How far a scan has come; null where there is nothing to scan. */
  readonly progress: ScanProgress | null;
}

export interface ScanProgress {
  readonly recordsRead: number;
  readonly bytesRead: number;
  readonly bytesTotal: number;
}

const encoder = new TextEncoder();

/** Rows that are here already: SHOW, DESCRIBE, EXPLAIN. */
export function rowsResult(
  columns: readonly ResultColumn[],
  rows: readonly (readonly (string | number | boolean | null)[])[],
): StatementResult {
  const texts = rows.map((row) =>
    encoder.encode(
      JSON.stringify(Object.fromEntries(columns.map(({ name }, index) => [name, row[index]]))),
    ),
  );
  return { kind: "rows", columns, rows: only({ rows: texts, progress: null }) };
}

async function* only(chunk: RowsChunk): AsyncGenerator<RowsChunk, void> {
  if (chunk.rows.length > 0) yield chunk;
}
