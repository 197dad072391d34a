/** Rows as an Arrow IPC stream, written batch by batch: the schema, batches, the end mark. */
import { makeData, RecordBatch, type Schema, Struct, Table, tableToIPC } from "apache-arrow";
import type { ArrowColumn } from "./arrow-column.ts";
import { fillColumn } from "./fill-column.ts";
import { cellsOf } from "./json-cells.ts";
import { arrowSchema } from "./library-schema.ts";

/** A continuation mark and a length of zero: the stream is over, and was not cut off. */
const endBytes = 8;

export class IpcStream {
  readonly #columns: readonly ArrowColumn[];
  readonly #names: ReadonlyMap<string, number>;
  readonly #schema: Schema;
  readonly #head: Uint8Array;
  readonly #end: Uint8Array;

  constructor(columns: readonly ArrowColumn[]) {
    this.#columns = columns;
    this.#names = new Map(columns.map(({ name }, index) => [name, index]));
    this.#schema = arrowSchema(columns);
    const empty = tableToIPC(new Table(this.#schema), "stream");
    this.#head = empty.subarray(0, empty.length - endBytes);
    this.#end = empty.subarray(empty.length - endBytes);
  }

  /** What the stream begins with. */
  head(): Uint8Array {
    return this.#head;
  }

  /** A batch of rows, each a JSON object by column name. */
  batch(rows: readonly Uint8Array[]): Uint8Array {
    const cells = rows.map((row) => cellsOf(row, this.#names));
    const children = this.#columns.map(({ type }, index) =>
      fillColumn(
        type,
        cells.map((each) => each[index] ?? null),
      ),
    );
    const type = new Struct(this.#schema.fields);
    const data = makeData({ type, length: rows.length, nullCount: 0, children });
    const whole = tableToIPC(new Table([new RecordBatch(this.#schema, data)]), "stream");
    // Each such stream begins with the same schema.
    return whole.subarray(this.#head.length, whole.length - endBytes);
  }

  /** What the stream ends with when it is whole. */
  end(): Uint8Array {
    return this.#end;
  }
}
