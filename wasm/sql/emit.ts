/**
 * Writes rows of a statement or a Table as records of a Kafka batch (see
 * `src/record/batch-layout.ts`), their values and keys JSON objects by column name. The batch's
 * header is the host's.
 *
 * A record is first written to a buffer, which grows, and then to the chunk if it fits there;
 * otherwise it waits for the next chunk. Emitter, 128 bytes:
 *
 *    0  u32 table, or 0      statement's rows else
 *    4  u32 statement
 *    8  u32 fields, 12 u32 fieldCount        of the value
 *   16  u32 keyFields, 20 u32 keyFieldCount  none: the key is null, or empty where rows are taken back
 *   24  i32 timeColumn       the record's timestamp; −1: the same for all, at 104
 *   28  i32 weightColumn     below 0: a tombstone; 0: no record; −1: every row is one
 *   32  u32 buffer, 36 u32 bufferBytes
 *   40  u32 isWaiting, 44 u32 waitingBytes   a record waits in the buffer, and what it takes at most
 *   48  u32 keyBytes, 52 i32 valueBytes      of the record in the buffer; −1: a tombstone
 *   56  i64 timestamp        of the record in the buffer
 *   64  u32 recordCount, 68 u32 usedBytes    of the chunk
 *   72  i64 baseTimestamp, 80 i64 maxTimestamp
 *   88  u32 row              of the table that comes next
 *   92  u32 wrongColumn      the column that had a value of another kind
 *  104  i64 fixedTimestamp
 *
 * Field, 24 bytes: u32 column, u32 format, u32 address and u32 length of what stands before the
 * value (`{"name":`, `,"name":`), u32 scale.
 */
import * as json from "./parts/json-out";
import {
  COLUMN_BASE,
  COLUMN_KIND,
  COLUMN_SHIFT,
  copyBytes,
  isNull,
  KIND_BLOB,
  KIND_INTEGER,
  KIND_REAL,
  KIND_TEXT,
  slotOf,
  TABLE_COLUMNS,
  TABLE_CURRENT,
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
  DONE,
  FLOAT,
  INTEGER,
  NOMEM,
  NULL,
  OK,
  ROW,
  step,
  TEXT,
} from "./parts/sqlite";

const TABLE: usize = 0;
const STATEMENT: usize = 4;
const FIELDS: usize = 8;
const FIELD_COUNT: usize = 12;
const KEY_FIELDS: usize = 16;
const KEY_FIELD_COUNT: usize = 20;
const TIME_COLUMN: usize = 24;
const WEIGHT_COLUMN: usize = 28;
const BUFFER: usize = 32;
const BUFFER_BYTES: usize = 36;
const IS_WAITING: usize = 40;
const WAITING_BYTES: usize = 44;
const KEY_BYTES: usize = 48;
const VALUE_BYTES: usize = 52;
const TIMESTAMP: usize = 56;
const RECORD_COUNT: usize = 64;
const USED_BYTES: usize = 68;
const BASE_TIMESTAMP: usize = 72;
const MAX_TIMESTAMP: usize = 80;
const NEXT_ROW: usize = 88;
const WRONG_COLUMN: usize = 92;
const FIXED_TIMESTAMP: usize = 104;

const FIELD_FORMAT: usize = 4;
const FIELD_PREFIX: usize = 8;
const FIELD_PREFIX_BYTES: usize = 12;
const FIELD_SCALE: usize = 16;
const FIELD_SIZE: usize = 24;

const FORMAT_INTEGER: u32 = 0;
const FORMAT_REAL: u32 = 1;
const FORMAT_FLOAT: u32 = 2;
const FORMAT_BOOLEAN: u32 = 3;
const FORMAT_TEXT: u32 = 4;
const FORMAT_JSON: u32 = 5;
const FORMAT_BYTES: u32 = 6;
const FORMAT_TIMESTAMP: u32 = 7;
const FORMAT_TIMESTAMP_LTZ: u32 = 8;
const FORMAT_DATE: u32 = 9;
const FORMAT_TIME: u32 = 10;
const FORMAT_DECIMAL: u32 = 11;
const FORMAT_WIDE: u32 = 12;

/** The value is of another kind than its column: what was planned is wrong. */
const WRONG_KIND: i32 = 1000;

/** What a record takes beside key and value: five varints at their longest, two bytes. */
const RECORD_OVERHEAD: u32 = 5 + 1 + 10 + 5 + 5 + 5 + 1;

const NOT_AT_ALL: i32 = -1;

/** The value that `fetch` found; its type is SQLite's, a wide one a BLOB. */
let integer: i64 = 0;
let real: f64 = 0;
let address: usize = 0;
let length: usize = 0;
let low: u64 = 0;
let high: i64 = 0;

/**
 * Fills `chunk` with records. ROW when the next one does not fit, DONE at the end of the rows, else
 * the error's code; the records before it are in the chunk. A chunk must be empty when it is given.
 */
export function emit(emitter: usize, chunk: usize, chunkBytes: u32): i32 {
  store<u32>(emitter, 0, RECORD_COUNT);
  store<u32>(emitter, 0, USED_BYTES);
  while (true) {
    if (load<u32>(emitter, IS_WAITING) == 0) {
      const code = encodeNext(emitter);
      if (code != ROW) return code;
    }
    if (!place(emitter, chunk, chunkBytes)) return ROW;
    store<u32>(emitter, 0, IS_WAITING);
  }
}

/** Writes the next row that is a record to the buffer. */
function encodeNext(emitter: usize): i32 {
  while (true) {
    const code = advance(emitter);
    if (code != ROW) return code;
    const weightColumn = load<i32>(emitter, WEIGHT_COLUMN);
    let weight: i64 = 1;
    if (weightColumn >= 0) {
      if (fetch(emitter, weightColumn) != INTEGER) return wrong(emitter, weightColumn);
      weight = integer;
    }
    if (weight == 0) continue;
    const failed = encode(emitter, weight < 0);
    return failed == OK ? ROW : failed;
  }
}

/** Goes to the next row: ROW, DONE, or an error of the statement. */
function advance(emitter: usize): i32 {
  const table = <usize>load<u32>(emitter, TABLE);
  if (table == 0) return step(load<u32>(emitter, STATEMENT));
  const row = load<u32>(emitter, NEXT_ROW);
  if (row >= load<u32>(table, TABLE_ROW_COUNT)) return DONE;
  store<u32>(table, row, TABLE_CURRENT);
  store<u32>(emitter, row + 1, NEXT_ROW);
  return ROW;
}

function wrong(emitter: usize, column: u32): i32 {
  store<u32>(emitter, column, WRONG_COLUMN);
  return WRONG_KIND;
}

function encode(emitter: usize, isTombstone: bool): i32 {
  const failed = readTimestamp(emitter);
  if (failed != OK) return failed;
  json.begin(load<u32>(emitter, BUFFER), load<u32>(emitter, BUFFER_BYTES));
  let code = encodeObject(emitter, KEY_FIELDS);
  const keyBytes = json.at - json.bufferStart();
  if (code == OK && !isTombstone) code = encodeObject(emitter, FIELDS);
  // The buffer may have moved, also when it could not be filled.
  store<u32>(emitter, <u32>json.bufferStart(), BUFFER);
  store<u32>(emitter, <u32>json.bufferBytes(), BUFFER_BYTES);
  if (json.isFull) return NOMEM;
  if (code != OK) return code;
  const valueBytes = json.at - json.bufferStart() - keyBytes;
  store<u32>(emitter, <u32>keyBytes, KEY_BYTES);
  store<i32>(emitter, isTombstone ? NOT_AT_ALL : <i32>valueBytes, VALUE_BYTES);
  store<u32>(emitter, <u32>(keyBytes + valueBytes) + RECORD_OVERHEAD, WAITING_BYTES);
  store<u32>(emitter, 1, IS_WAITING);
  return OK;
}

/** Kafka knows no time before 1970, and −1 is none. */
function readTimestamp(emitter: usize): i32 {
  const column = load<i32>(emitter, TIME_COLUMN);
  let timestamp = load<i64>(emitter, FIXED_TIMESTAMP);
  if (column >= 0) {
    const type = fetch(emitter, column);
    if (type == INTEGER) timestamp = integer < 0 ? 0 : integer;
    else if (type == NULL) timestamp = -1;
    else return wrong(emitter, column);
  }
  store<i64>(emitter, timestamp, TIMESTAMP);
  return OK;
}

/** The object of the fields at `fields`; none: nothing. */
function encodeObject(emitter: usize, fields: usize): i32 {
  let field = <usize>load<u32>(emitter + fields);
  const count = load<u32>(emitter + fields, 4);
  if (count == 0) return OK;
  for (let left = count; left > 0; left--) {
    json.putPrefix(load<u32>(field, FIELD_PREFIX), load<u32>(field, FIELD_PREFIX_BYTES));
    const code = encodeValue(emitter, field);
    if (code != OK) return code;
    field += FIELD_SIZE;
  }
  json.reserve(16);
  json.putByte(125);
  return OK;
}

function encodeValue(emitter: usize, field: usize): i32 {
  const column = load<u32>(field);
  const format = load<u32>(field, FIELD_FORMAT);
  const type = fetch(emitter, column);
  if (type == NULL) {
    json.putNull();
    return OK;
  }
  switch (format) {
    case FORMAT_TEXT:
      if (type != TEXT) return wrong(emitter, column);
      json.putText(address, length);
      return OK;
    case FORMAT_JSON:
      if (type != TEXT) return wrong(emitter, column);
      json.putRaw(address, length);
      return OK;
    case FORMAT_BYTES:
      if (type != BLOB) return wrong(emitter, column);
      json.putBase64(address, length);
      return OK;
    case FORMAT_REAL:
    case FORMAT_FLOAT:
      if (type == INTEGER) real = <f64>integer;
      else if (type != FLOAT) return wrong(emitter, column);
      json.putReal(real, format == FORMAT_FLOAT);
      return OK;
    case FORMAT_WIDE:
      if (!readWide(type)) return wrong(emitter, column);
      json.putDecimal(low, high, load<u32>(field, FIELD_SCALE));
      return OK;
    default:
      if (type != INTEGER) return wrong(emitter, column);
      encodeInteger(format, field);
      return OK;
  }
}

function encodeInteger(format: u32, field: usize): void {
  switch (format) {
    case FORMAT_BOOLEAN:
      json.putBoolean(integer != 0);
      break;
    case FORMAT_TIMESTAMP:
      json.putTimestamp(integer, false);
      break;
    case FORMAT_TIMESTAMP_LTZ:
      json.putTimestamp(integer, true);
      break;
    case FORMAT_DATE:
      json.putDate(integer);
      break;
    case FORMAT_TIME:
      json.putTime(integer);
      break;
    case FORMAT_DECIMAL:
      json.putDecimal(<u64>integer, integer >> 63, load<u32>(field, FIELD_SCALE));
      break;
    default:
      json.putInteger(integer);
  }
}

/** A wide value from a Table is there; from a statement it is a BLOB, or an integer. */
function readWide(type: i32): bool {
  if (type == INTEGER) {
    low = <u64>integer;
    high = integer >> 63;
    return true;
  }
  if (type != BLOB || length != 16) return false;
  if (address != 0) {
    low = wideBlobLow(address);
    high = wideBlobHigh(address);
  }
  return true;
}

/** Reads a column of the row; gives its type. */
// @ts-ignore: decorator
@inline
function fetch(emitter: usize, column: u32): i32 {
  const table = <usize>load<u32>(emitter, TABLE);
  return table == 0 ? fetchResult(load<u32>(emitter, STATEMENT), column) : fetchCell(table, column);
}

function fetchResult(statement: usize, column: u32): i32 {
  const type = columnType(statement, column);
  switch (type) {
    case INTEGER:
      integer = columnInt64(statement, column);
      break;
    case FLOAT:
      real = columnDouble(statement, column);
      break;
    case TEXT:
    case BLOB:
      address = columnBlob(statement, column);
      length = columnBytes(statement, column);
      break;
    default:
  }
  return type;
}

function fetchCell(table: usize, column: u32): i32 {
  const current = load<u32>(table, TABLE_CURRENT);
  const selection = <usize>load<u32>(table, TABLE_SELECTION);
  const row = selection == 0 ? current : load<u32>(selection + ((<usize>current) << 2));
  const cell = <usize>load<u32>(table, TABLE_COLUMNS) + ((<usize>column) << COLUMN_SHIFT);
  if (isNull(cell, row)) return NULL;
  const slot = slotOf(cell, row);
  const kind = load<u32>(cell, COLUMN_KIND);
  switch (kind) {
    case KIND_INTEGER:
      integer = load<i64>(slot);
      return INTEGER;
    case KIND_REAL:
      real = load<f64>(slot);
      // SQLite has no NaN: it is NULL there.
      return real == real ? FLOAT : NULL;
    case KIND_TEXT:
    case KIND_BLOB:
      address = <usize>load<u32>(slot) + load<u32>(cell, COLUMN_BASE);
      length = load<u32>(slot, 4);
      return kind == KIND_TEXT ? TEXT : BLOB;
    default:
      low = load<u64>(slot);
      high = load<i64>(slot, 8);
      address = 0;
      length = 16;
      return BLOB;
  }
}

/** Writes the waiting record to the chunk, if it fits. */
function place(emitter: usize, chunk: usize, chunkBytes: u32): bool {
  const used = load<u32>(emitter, USED_BYTES);
  if (load<u32>(emitter, WAITING_BYTES) > chunkBytes - used) return false;
  const count = load<u32>(emitter, RECORD_COUNT);
  const timestamp = load<i64>(emitter, TIMESTAMP);
  if (count == 0) {
    store<i64>(emitter, timestamp, BASE_TIMESTAMP);
    store<i64>(emitter, timestamp, MAX_TIMESTAMP);
  } else if (timestamp > load<i64>(emitter, MAX_TIMESTAMP)) {
    store<i64>(emitter, timestamp, MAX_TIMESTAMP);
  }
  const delta = timestamp - load<i64>(emitter, BASE_TIMESTAMP);
  const hasKey = load<u32>(emitter, KEY_FIELD_COUNT) > 0 || load<i32>(emitter, WEIGHT_COLUMN) >= 0;
  const keyBytes: i64 = hasKey ? load<u32>(emitter, KEY_BYTES) : NOT_AT_ALL;
  const valueBytes = <i64>load<i32>(emitter, VALUE_BYTES);
  const body = 2 + varintBytes(delta) + varintBytes(count) + blockBytes(keyBytes) + blockBytes(valueBytes);
  let to = putVarint(chunk + used, body);
  store<u8>(to++, 0);
  to = putVarint(to, delta);
  to = putVarint(to, count);
  const buffer = <usize>load<u32>(emitter, BUFFER);
  to = putBlock(to, buffer, keyBytes);
  to = putBlock(to, buffer + load<u32>(emitter, KEY_BYTES), valueBytes);
  store<u8>(to++, 0);
  store<u32>(emitter, count + 1, RECORD_COUNT);
  store<u32>(emitter, <u32>(to - chunk), USED_BYTES);
  return true;
}

function blockBytes(bytes: i64): i64 {
  return varintBytes(bytes) + (bytes < 0 ? 0 : bytes);
}

function putBlock(to: usize, from: usize, bytes: i64): usize {
  const start = putVarint(to, bytes);
  if (bytes <= 0) return start;
  copyBytes(start, from, <usize>bytes);
  return start + <usize>bytes;
}

function varintBytes(value: i64): i64 {
  let rest = <u64>((value << 1) ^ (value >> 63));
  let bytes: i64 = 1;
  while (rest >= 0x80) {
    rest >>= 7;
    bytes++;
  }
  return bytes;
}

function putVarint(to: usize, value: i64): usize {
  let rest = <u64>((value << 1) ^ (value >> 63));
  let at = to;
  while (rest >= 0x80) {
    store<u8>(at++, <u8>(rest | 0x80));
    rest >>= 7;
  }
  store<u8>(at++, <u8>rest);
  return at;
}
