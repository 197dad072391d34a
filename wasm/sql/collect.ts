/**
 * Steps a statement and appends its rows to columns that grow: the output of one operator becomes
 * the input of the next without a row being a JavaScript value.
 *
 * Collector, 48 bytes; its table and columns are the host's, what they point to is the collector's:
 *
 *    0  u32 Table    as in `src/sql/memory/column-layout.ts`; its row count is what was collected
 *    4  u32 capacity rows that the columns have room for
 *    8  u32 arena    the newest chunk of text and blob bytes: u32 chunk before it, then bytes
 *   12  u32 arenaUsed, 16 u32 arenaCapacity   of that chunk
 *   20  u32 arenaBytes  of text and blobs in all chunks
 *   24  u32 wrongColumn the column that had a value of another kind
 *   28  u32 selection, 32 u32 selectionCapacity   places of the rows, of `collectPlaced`
 *
 * The u32 at 24 of each Column holds its null bytes, which the Column shows only when it has a NULL.
 */
import {
  COLUMN_BYTES,
  COLUMN_KIND,
  COLUMN_NULLS,
  COLUMN_VALUES,
  copyBytes,
  KIND_BLOB,
  KIND_INTEGER,
  KIND_REAL,
  KIND_TEXT,
  KIND_WIDE,
  SLACK,
  TABLE_COLUMN_COUNT,
  TABLE_COLUMNS,
  TABLE_ROW_COUNT,
  TABLE_SELECTION,
  wideBlobHigh,
  wideBlobLow,
} from "./parts/layout";
import {
  BLOB,
  columnBlob,
  columnBytes,
  columnDouble,
  columnInt64,
  columnType,
  FLOAT,
  free,
  INTEGER,
  malloc,
  NOMEM,
  NULL,
  OK,
  ROW,
  realloc,
  step,
  TEXT,
} from "./parts/sqlite";

const CAPACITY: usize = 4;
const ARENA: usize = 8;
const ARENA_USED: usize = 12;
const ARENA_CAPACITY: usize = 16;
const ARENA_BYTES: usize = 20;
const WRONG_COLUMN: usize = 24;

const SELECTION: usize = 28;
const SELECTION_CAPACITY: usize = 32;

const COLUMN_NULL_BUFFER: usize = 24;

const CHUNK_HEADER: u32 = 16;
const CHUNK_BYTES: u32 = 65536;
const CAPACITY_FIRST: u32 = 256;

/** The value is of another kind than its column: what was planned is wrong. */
const WRONG_KIND: i32 = 1000;

/**
 * Appends rows until the collector has `rowsMax` of them or `bytesMax` bytes of text: then ROW.
 * DONE when the statement ended, else the error's code; the row that failed is not there.
 */
export function collect(statement: usize, collector: usize, rowsMax: u32, bytesMax: u32): i32 {
  const table = <usize>load<u32>(collector);
  const columns = <usize>load<u32>(table, TABLE_COLUMNS);
  const columnCount = load<u32>(table, TABLE_COLUMN_COUNT);
  let row = load<u32>(table, TABLE_ROW_COUNT);
  while (row < rowsMax && load<u32>(collector, ARENA_BYTES) < bytesMax) {
    const code = step(statement);
    if (code != ROW) return code;
    if (row == load<u32>(collector, CAPACITY) && !growColumns(collector, columns, columnCount)) {
      return NOMEM;
    }
    let column = columns;
    for (let index: u32 = 0; index < columnCount; index++) {
      const failed = append(statement, collector, column, index, row);
      if (failed != OK) {
        store<u32>(collector, index, WRONG_COLUMN);
        return failed;
      }
      column += COLUMN_BYTES;
    }
    store<u32>(table, ++row, TABLE_ROW_COUNT);
  }
  return ROW;
}

/**
 * Writes values where the input has its row, so that columns which pass unchanged are the input's
 * own, and appends the places to the selection. The statement's first column is the rowid of the
 * virtual table over `input`, the others are the collector's. DONE, or an error's code.
 */
export function collectPlaced(statement: usize, collector: usize, input: usize): i32 {
  const table = <usize>load<u32>(collector);
  const columns = <usize>load<u32>(table, TABLE_COLUMNS);
  const columnCount = load<u32>(table, TABLE_COLUMN_COUNT);
  const selected = <usize>load<u32>(input, TABLE_SELECTION);
  let row = load<u32>(table, TABLE_ROW_COUNT);
  while (true) {
    const code = step(statement);
    if (code != ROW) return code;
    const index = <u32>columnInt64(statement, 0);
    const place = selected == 0 ? index : load<u32>(selected + ((<usize>index) << 2));
    while (place >= load<u32>(collector, CAPACITY)) {
      if (!growColumns(collector, columns, columnCount)) return NOMEM;
    }
    if (row == load<u32>(collector, SELECTION_CAPACITY) && !growSelection(collector)) return NOMEM;
    let column = columns;
    for (let index: u32 = 0; index < columnCount; index++) {
      const failed = append(statement, collector, column, index + 1, place);
      if (failed != OK) {
        store<u32>(collector, index, WRONG_COLUMN);
        return failed;
      }
      column += COLUMN_BYTES;
    }
    store<u32>(<usize>load<u32>(collector, SELECTION) + ((<usize>row) << 2), place);
    store<u32>(table, ++row, TABLE_ROW_COUNT);
  }
}

function growSelection(collector: usize): bool {
  const had = load<u32>(collector, SELECTION_CAPACITY);
  const capacity = had == 0 ? CAPACITY_FIRST : had * 2;
  const selection = realloc(load<u32>(collector, SELECTION), ((<usize>capacity) << 2) + SLACK);
  if (selection == 0) return false;
  store<u32>(collector, <u32>selection, SELECTION);
  store<u32>(collector, capacity, SELECTION_CAPACITY);
  return true;
}

// @ts-ignore: decorator
@inline
function append(statement: usize, collector: usize, column: usize, index: u32, row: u32): i32 {
  const kind = load<u32>(column, COLUMN_KIND);
  const type = columnType(statement, index);
  const nullByte = <usize>load<u32>(column, COLUMN_NULL_BUFFER) + row;
  if (type == NULL) {
    store<u8>(nullByte, 1);
    store<u32>(column, load<u32>(column, COLUMN_NULL_BUFFER), COLUMN_NULLS);
    return OK;
  }
  store<u8>(nullByte, 0);
  const values = <usize>load<u32>(column, COLUMN_VALUES);
  const slot = values + ((<usize>row) << 3);
  switch (kind) {
    case KIND_INTEGER:
      if (type != INTEGER) return WRONG_KIND;
      store<i64>(slot, columnInt64(statement, index));
      return OK;
    case KIND_REAL:
      if (type != FLOAT && type != INTEGER) return WRONG_KIND;
      store<f64>(slot, columnDouble(statement, index));
      return OK;
    case KIND_TEXT:
      return type == TEXT ? appendBytes(statement, collector, slot, index) : WRONG_KIND;
    case KIND_BLOB:
      return type == BLOB ? appendBytes(statement, collector, slot, index) : WRONG_KIND;
    default:
      return appendWide(statement, values + ((<usize>row) << 4), index, type);
  }
}

function appendWide(statement: usize, slot: usize, index: u32, type: i32): i32 {
  if (type == INTEGER) {
    const value = columnInt64(statement, index);
    store<i64>(slot, value);
    store<i64>(slot, value >> 63, 8);
    return OK;
  }
  const blob = columnBlob(statement, index);
  if (type != BLOB || columnBytes(statement, index) != 16) return WRONG_KIND;
  store<u64>(slot, wideBlobLow(blob));
  store<i64>(slot, wideBlobHigh(blob), 8);
  return OK;
}

function appendBytes(statement: usize, collector: usize, slot: usize, index: u32): i32 {
  // Not column_text, which would copy a text to put a zero behind it.
  const from = columnBlob(statement, index);
  const length = <u32>columnBytes(statement, index);
  let used = load<u32>(collector, ARENA_USED);
  // Compared so that lengths near 2^32 do not wrap.
  if (length > load<u32>(collector, ARENA_CAPACITY) - used) {
    if (!addChunk(collector, length)) return NOMEM;
    used = CHUNK_HEADER;
  }
  const to = <usize>load<u32>(collector, ARENA) + used;
  copyBytes(to, from, length);
  store<u32>(slot, <u32>to);
  store<u32>(slot, length, 4);
  store<u32>(collector, used + length, ARENA_USED);
  store<u32>(collector, load<u32>(collector, ARENA_BYTES) + length, ARENA_BYTES);
  return OK;
}

function addChunk(collector: usize, length: u32): bool {
  // Half of what there is, so that the number of chunks stays small.
  const half = load<u32>(collector, ARENA_BYTES) >> 1;
  let bytes = half > CHUNK_BYTES ? half : CHUNK_BYTES;
  if (length + CHUNK_HEADER > bytes) bytes = length + CHUNK_HEADER;
  const chunk = malloc(<usize>bytes + SLACK);
  if (chunk == 0) return false;
  store<u32>(chunk, load<u32>(collector, ARENA));
  store<u32>(collector, <u32>chunk, ARENA);
  store<u32>(collector, CHUNK_HEADER, ARENA_USED);
  store<u32>(collector, bytes, ARENA_CAPACITY);
  return true;
}

function growColumns(collector: usize, columns: usize, columnCount: u32): bool {
  const had = load<u32>(collector, CAPACITY);
  const capacity = had == 0 ? CAPACITY_FIRST : had * 2;
  let column = columns;
  for (let left = columnCount; left > 0; left--) {
    const slotBytes: usize = load<u32>(column, COLUMN_KIND) == KIND_WIDE ? 16 : 8;
    const values = realloc(load<u32>(column, COLUMN_VALUES), <usize>capacity * slotBytes + SLACK);
    if (values == 0) return false;
    store<u32>(column, <u32>values, COLUMN_VALUES);
    const nulls = realloc(load<u32>(column, COLUMN_NULL_BUFFER), <usize>capacity + SLACK);
    if (nulls == 0) return false;
    if (load<u32>(column, COLUMN_NULLS) != 0) store<u32>(column, <u32>nulls, COLUMN_NULLS);
    store<u32>(column, <u32>nulls, COLUMN_NULL_BUFFER);
    column += COLUMN_BYTES;
  }
  store<u32>(collector, capacity, CAPACITY);
  return true;
}

/** Forgets the rows; room stays, but for chunks other than the newest. */
export function clear(collector: usize): void {
  const table = <usize>load<u32>(collector);
  store<u32>(table, 0, TABLE_ROW_COUNT);
  store<u32>(table, 0, TABLE_SELECTION);
  let column = <usize>load<u32>(table, TABLE_COLUMNS);
  for (let left = load<u32>(table, TABLE_COLUMN_COUNT); left > 0; left--) {
    store<u32>(column, 0, COLUMN_NULLS);
    column += COLUMN_BYTES;
  }
  const newest = <usize>load<u32>(collector, ARENA);
  if (newest == 0) return;
  freeChunks(load<u32>(newest));
  store<u32>(newest, 0);
  store<u32>(collector, CHUNK_HEADER, ARENA_USED);
  store<u32>(collector, 0, ARENA_BYTES);
}

/** Gives all memory back. */
export function release(collector: usize): void {
  const table = <usize>load<u32>(collector);
  let column = <usize>load<u32>(table, TABLE_COLUMNS);
  for (let left = load<u32>(table, TABLE_COLUMN_COUNT); left > 0; left--) {
    free(load<u32>(column, COLUMN_VALUES));
    free(load<u32>(column, COLUMN_NULL_BUFFER));
    column += COLUMN_BYTES;
  }
  free(load<u32>(collector, SELECTION));
  freeChunks(load<u32>(collector, ARENA));
}

function freeChunks(newest: usize): void {
  let chunk = newest;
  while (chunk != 0) {
    const before = <usize>load<u32>(chunk);
    free(chunk);
    chunk = before;
  }
}
