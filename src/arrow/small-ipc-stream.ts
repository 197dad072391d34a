/**
 * What ipc-stream.ts does, without apache-arrow: for a Cloudflare Worker, whose bundle has no room
 * for it (ADR 66). The tests hold the two to each other.
 *
 * A stream is messages, then an end mark: `FFFFFFFF 00000000`.
 *
 * | part of a message | bytes |
 * |---|---|
 * | continuation | FFFFFFFF |
 * | length | u32, of the metadata, which is padded to a multiple of eight |
 * | metadata | a FlatBuffer: Message, in it a Schema or a RecordBatch (Arrow's Message.fbs, Schema.fbs) |
 * | body | a RecordBatch's buffers, each padded to eight: per column validity, offsets if any, data |
 */
import type { ArrowColumn, ArrowColumnType } from "./arrow-column.ts";
import { type ColumnBuffers, columnBuffers } from "./column-buffers.ts";
import {
  byte,
  type FlatField,
  flag,
  flatBuffer,
  int,
  long,
  longs,
  short,
  table,
  tables,
  text,
} from "./flat-buffer.ts";
import { cellsOf } from "./json-cells.ts";

/** MetadataVersion.V5. */
const version = 4;
/** MessageHeader. */
const [schemaHeader, batchHeader] = [1, 3];
const prefixBytes = 8;
const continuation = 0xffff_ffff;

export class IpcStream {
  readonly #columns: readonly ArrowColumn[];
  readonly #names: ReadonlyMap<string, number>;

  constructor(columns: readonly ArrowColumn[]) {
    this.#columns = columns;
    this.#names = new Map(columns.map(({ name }, index) => [name, index]));
  }

  /** What the stream begins with. */
  head(): Uint8Array {
    const fields = this.#columns.map(({ name, type }) => {
      const [kind, shape] = typeOf(type);
      return table(text(name), flag(true), byte(kind), shape, undefined, tables([]));
    });
    return message({ kind: schemaHeader, header: table(short(0), tables(fields)), body: [] });
  }

  /** A batch of rows, each a JSON object by column name. */
  batch(rows: readonly Uint8Array[]): Uint8Array {
    const cells = rows.map((row) => cellsOf(row, this.#names));
    const filled = this.#columns.map(({ type }, index) =>
      columnBuffers(
        type,
        cells.map((each) => each[index] ?? null),
      ),
    );
    const body = filled.flatMap(bodyOf);
    const nodes = filled.map(({ nullCount }) => [rows.length, nullCount]);
    let position = 0;
    const buffers = body.map(({ length }) => {
      const start = position;
      position += padded(length);
      return [start, length];
    });
    const header = table(long(rows.length), longs(nodes), longs(buffers));
    return message({ kind: batchHeader, header, body });
  }

  /** What the stream ends with when it is whole. */
  end(): Uint8Array {
    const mark = new Uint8Array(prefixBytes);
    mark.fill(0xff, 0, 4);
    return mark;
  }
}

function message({
  kind,
  header,
  body,
}: {
  readonly kind: number;
  readonly header: FlatField;
  readonly body: readonly Uint8Array[];
}): Uint8Array {
  const bodyBytes = body.reduce((sum, { length }) => sum + padded(length), 0);
  const metadata = flatBuffer(table(short(version), byte(kind), header, long(bodyBytes)));
  const bytes = new Uint8Array(prefixBytes + metadata.length + bodyBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, continuation, true);
  view.setUint32(4, metadata.length, true);
  bytes.set(metadata, prefixBytes);
  let position = prefixBytes + metadata.length;
  for (const part of body) {
    bytes.set(part, position);
    position += padded(part.length);
  }
  return bytes;
}

const nothing = new Uint8Array(0);

/** Where nothing is NULL the validity may be left out. */
function bodyOf({ nullCount, nullBitmap, valueOffsets, data }: ColumnBuffers): Uint8Array[] {
  const parts = [nullCount === 0 ? nothing : nullBitmap, valueOffsets, data];
  return parts
    .filter((part) => part !== undefined)
    .map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
}

function padded(length: number): number {
  return (length + 7) & ~7;
}

/** The number of a type in Schema.fbs, and the table of that type. */
function typeOf(type: ArrowColumnType): [kind: number, shape: FlatField] {
  switch (type.kind) {
    case "int":
      return [2, table(int(type.bits), flag(true))];
    case "float":
      return [3, table(short(type.bits === 32 ? 1 : 2))];
    case "binary":
      return [4, table()];
    case "text":
    case "json":
      return [5, table()];
    case "bool":
      return [6, table()];
    case "decimal":
      return [7, table(int(type.precision), int(type.scale), int(128))];
    case "date":
      return [8, table(short(0))];
    case "time":
      return [9, table(short(1), int(32))];
    case "timestamp":
      return [10, table(short(1), type.isUtc ? text("UTC") : undefined)];
  }
}
