/**
 * Writes rows of a statement or a Table as records of a Kafka batch (see
 * `src/record/batch-layout.ts`), their values and keys JSON objects by column name. The batch's
 * header is the host's.
 *
 * A record is written where it stays: behind those before it in the chunk, a buffer that grows when
 * a record needs it. The lengths before it, its key and its value have the width that they had in
 * the record before, and only where that is wrong are bytes moved. A record that makes a chunk larger
 * than it may be stays behind it, and begins the next one. Emitter, 128 bytes:
 *
 *    0  u32 table, or 0      statement's rows else
 *    4  u32 statement
 *    8  u32 fields, 12 u32 fieldCount        of the value
 *   16  u32 keyFields, 20 u32 keyFieldCount  none: the key is null, or empty where rows are taken back
 *   24  i32 timeColumn       the record's timestamp; −1, and where it is NULL: the one at 104
 *   28  i32 weightColumn     below 0: a tombstone; 0: no record; −1: every row is one
 *   32  u32 buffer, 36 u32 bufferBytes       where chunks are written, from its start
 *   40  u32 isWaiting        a record stands behind the chunk
 *   44  u32 keyAt, 48 i32 keyBytes           of the record that waits, in the buffer; −1: null
 *   52  i32 valueBytes       −1: a tombstone
 *   56  i64 timestamp        of the record that is written, or waits
 *   64  u32 recordCount, 68 u32 usedBytes    of the chunk
 *   72  i64 baseTimestamp, 80 i64 maxTimestamp
 *   88  u32 row              of the table that comes next
 *   92  u32 wrongColumn      the column that had a value of another kind
 *   96  u32 valueAt          as keyAt
 *  100  u8 bodyWidth, 101 u8 keyWidth, 102 u8 valueWidth     of the lengths of the record before
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
const KEY_AT: usize = 44;
const KEY_BYTES: usize = 48;
const VALUE_BYTES: usize = 52;
const TIMESTAMP: usize = 56;
const RECORD_COUNT: usize = 64;
const USED_BYTES: usize = 68;
const BASE_TIMESTAMP: usize = 72;
const MAX_TIMESTAMP: usize = 80;
const NEXT_ROW: usize = 88;
const WRONG_COLUMN: usize = 92;
const VALUE_AT: usize = 96;
const BODY_WIDTH: usize = 100;
const KEY_WIDTH: usize = 101;
const VALUE_WIDTH: usize = 102;
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

/** What a record takes beside key and value at most: five varints at their longest, two bytes. */
const RECORD_OVERHEAD: usize = 5 + 1 + 10 + 5 + 5 + 5 + 1;

const NOT_AT_ALL: i32 = -1;

/** Where rows come from: a table and the row of its columns, or 0 and a statement. */
let table: usize = 0;
let statement: usize = 0;
let row: u32 = 0;

/** The value that `fetch` found; its type is SQLite's, a wide one a BLOB. */
let integer: i64 = 0;
let real: f64 = 0;
let address: usize = 0;
let length: usize = 0;
let low: u64 = 0;
let high: i64 = 0;

/**
 * Fills the buffer with records, behind those of the chunk that are there, up to `chunkBytes`; a
 * record that is larger comes alone. ROW when the next one does not fit, DONE at the end of the rows, else the error's code;
 * the records before it are there.
 */
export function emit(emitter: usize, chunkBytes: u32): i32 {
  table = load<u32>(emitter, TABLE);
  statement = load<u32>(emitter, STATEMENT);
  if (load<u32>(emitter, IS_WAITING) != 0) moveWaiting(emitter);
  const weightColumn = load<i32>(emitter, WEIGHT_COLUMN);
  json.begin(load<u32>(emitter, BUFFER), load<u32>(emitter, BUFFER_BYTES));
  let code: i32;
  while (true) {
    code = advance(emitter);
    if (code != ROW) break;
    let isTombstone = false;
    if (weightColumn >= 0) {
      if (fetch(weightColumn) != INTEGER) {
        code = wrong(emitter, weightColumn);
        break;
      }
      if (integer == 0) continue;
      isTombstone = integer < 0;
    }
    code = encode(emitter, isTombstone, chunkBytes);
    if (code != OK) break;
    if (load<u32>(emitter, IS_WAITING) != 0) {
      code = ROW;
      break;
    }
  }
  // The buffer may have moved, also when it could not be filled.
  store<u32>(emitter, <u32>json.bufferStart(), BUFFER);
  store<u32>(emitter, <u32>json.bufferBytes(), BUFFER_BYTES);
  return code;
}

/** Goes to the next row: ROW, DONE, or an error of the statement. */
// @ts-ignore: decorator
@inline
function advance(emitter: usize): i32 {
  if (table == 0) return step(statement);
  const next = load<u32>(emitter, NEXT_ROW);
  if (next >= load<u32>(table, TABLE_ROW_COUNT)) return DONE;
  store<u32>(table, next, TABLE_CURRENT);
  store<u32>(emitter, next + 1, NEXT_ROW);
  const selection = <usize>load<u32>(table, TABLE_SELECTION);
  row = selection == 0 ? next : load<u32>(selection + ((<usize>next) << 2));
  return ROW;
}

function wrong(emitter: usize, column: u32): i32 {
  store<u32>(emitter, column, WRONG_COLUMN);
  return WRONG_KIND;
}

/** Writes the row as the next record of the chunk, or behind it, where it waits. */
function encode(emitter: usize, isTombstone: bool, chunkBytes: u32): i32 {
  const failed = readTimestamp(emitter);
  if (failed != OK) return failed;
  let at = json.reserve(json.bufferStart() + load<u32>(emitter, USED_BYTES), RECORD_OVERHEAD + 16);
  if (json.isFull) return NOMEM;
  const count = load<u32>(emitter, RECORD_COUNT);
  const timestamp = load<i64>(emitter, TIMESTAMP);
  const delta = count == 0 ? 0 : timestamp - load<i64>(emitter, BASE_TIMESTAMP);
  const bodyAt = at - json.bufferStart();
  at = putHead(at + load<u8>(emitter, BODY_WIDTH), delta, count);
  const hasKey = load<u32>(emitter, KEY_FIELD_COUNT) > 0 || load<i32>(emitter, WEIGHT_COLUMN) >= 0;
  wrongValue = OK;
  at = encodeBlock(at, emitter, KEY_FIELDS, KEY_WIDTH, hasKey);
  const keyBytes = blockBytes;
  const keyAt = blockAt;
  if (wrongValue == OK) at = encodeBlock(at, emitter, FIELDS, VALUE_WIDTH, !isTombstone);
  if (json.isFull) return NOMEM;
  if (wrongValue != OK) return wrongValue;
  at = json.putByte(at, 0);
  const unmoved = at;
  at = setLength(at, emitter, BODY_WIDTH, bodyAt);
  const moved = <isize>at - <isize>unmoved;
  const end = <u32>(at - json.bufferStart());
  if (end > chunkBytes && count > 0) {
    store<u32>(emitter, <u32>(keyAt + moved), KEY_AT);
    store<i32>(emitter, keyBytes, KEY_BYTES);
    store<u32>(emitter, <u32>(blockAt + moved), VALUE_AT);
    store<i32>(emitter, blockBytes, VALUE_BYTES);
    store<u32>(emitter, 1, IS_WAITING);
    return OK;
  }
  take(emitter, end);
  return OK;
}

/** The record that ends at `end` is the chunk's. */
function take(emitter: usize, end: u32): void {
  const count = load<u32>(emitter, RECORD_COUNT);
  const timestamp = load<i64>(emitter, TIMESTAMP);
  if (count == 0) store<i64>(emitter, timestamp, BASE_TIMESTAMP);
  if (count == 0 || timestamp > load<i64>(emitter, MAX_TIMESTAMP)) {
    store<i64>(emitter, timestamp, MAX_TIMESTAMP);
  }
  store<u32>(emitter, count + 1, RECORD_COUNT);
  store<u32>(emitter, end, USED_BYTES);
}

/** Attributes, timestamp delta, offset delta. */
// @ts-ignore: decorator
@inline
function putHead(to: usize, delta: i64, count: u32): usize {
  store<u8>(to, 0);
  return putVarint(putVarint(to + 1, delta), count);
}

/** Where the bytes of the block stand that was encoded last, and how many; −1: it is null. */
let blockAt: usize = 0;
let blockBytes: i32 = 0;

/** A key or a value behind its length: the object of the fields at `fields`, or null. */
function encodeBlock(
  to: usize,
  emitter: usize,
  fields: usize,
  width: usize,
  isThere: bool,
): usize {
  if (!isThere) {
    const behind = putVarint(to, NOT_AT_ALL);
    blockAt = behind - json.bufferStart();
    blockBytes = NOT_AT_ALL;
    return behind;
  }
  const lengthAt = to - json.bufferStart();
  let at = encodeObject(to + load<u8>(emitter + width), emitter, fields);
  if (wrongValue != OK || json.isFull) return at;
  at = json.reserve(at, RECORD_OVERHEAD + 16);
  if (json.isFull) return at;
  at = setLength(at, emitter, width, lengthAt);
  blockAt = lengthAt + load<u8>(emitter + width);
  blockBytes = <i32>(at - json.bufferStart() - blockAt);
  return at;
}

/**
 * Puts the length of what was written from `lengthAt` on before it, where room of the width at
 * `width` was left; what was written moves if it is another one, which is kept for the next. Gives
 * where it ends.
 */
// @ts-ignore: decorator
@inline
function setLength(end: usize, emitter: usize, width: usize, lengthAt: usize): usize {
  const had = <usize>load<u8>(emitter + width);
  const start = json.bufferStart() + lengthAt;
  const bytes = end - start - had;
  const needed = <usize>varintBytes(bytes);
  if (needed != had) {
    memory.copy(start + needed, start + had, bytes);
    store<u8>(emitter + width, <u8>needed);
  }
  putVarint(start, bytes);
  return start + needed + bytes;
}

/** The record that waits becomes the first of a chunk. It moves towards the buffer's start. */
function moveWaiting(emitter: usize): void {
  const buffer = <usize>load<u32>(emitter, BUFFER);
  const keyBytes = load<i32>(emitter, KEY_BYTES);
  const valueBytes = load<i32>(emitter, VALUE_BYTES);
  const body = 1 + 1 + 1 + sizeOf(keyBytes) + sizeOf(valueBytes) + 1;
  let to = putHead(putVarint(buffer, body), 0, 0);
  to = moveBlock(to, buffer + load<u32>(emitter, KEY_AT), keyBytes);
  to = moveBlock(to, buffer + load<u32>(emitter, VALUE_AT), valueBytes);
  store<u8>(to++, 0);
  store<u32>(emitter, 0, IS_WAITING);
  take(emitter, <u32>(to - buffer));
}

function sizeOf(bytes: i32): i64 {
  return varintBytes(bytes) + (bytes < 0 ? 0 : bytes);
}

function moveBlock(to: usize, from: usize, bytes: i32): usize {
  const start = putVarint(to, bytes);
  if (bytes <= 0) return start;
  memory.copy(start, from, <usize>bytes);
  return start + <usize>bytes;
}

/** Kafka knows no time before 1970. A row without a time has that of what made it. */
function readTimestamp(emitter: usize): i32 {
  const column = load<i32>(emitter, TIME_COLUMN);
  let timestamp = load<i64>(emitter, FIXED_TIMESTAMP);
  if (column >= 0) {
    const type = fetch(column);
    if (type == INTEGER) timestamp = integer < 0 ? 0 : integer;
    else if (type != NULL) return wrong(emitter, column);
  }
  store<i64>(emitter, timestamp, TIMESTAMP);
  return OK;
}

/** Why a value of the record could not be written; OK: all could. */
let wrongValue: i32 = 0;

/** The object of the fields at `fields`; none: nothing. */
function encodeObject(to: usize, emitter: usize, fields: usize): usize {
  let field = <usize>load<u32>(emitter + fields);
  const count = load<u32>(emitter + fields, 4);
  if (count == 0) return to;
  let at = to;
  for (let left = count; left > 0; left--) {
    at = json.putPrefix(at, load<u32>(field, FIELD_PREFIX), load<u32>(field, FIELD_PREFIX_BYTES));
    at = encodeValue(at, emitter, field);
    if (wrongValue != OK) return at;
    field += FIELD_SIZE;
  }
  return json.putByte(json.reserve(at, 16), 125);
}

// @ts-ignore: decorator
@inline
function encodeValue(at: usize, emitter: usize, field: usize): usize {
  const column = load<u32>(field);
  const format = load<u32>(field, FIELD_FORMAT);
  const type = fetch(column);
  if (type == NULL) return json.putNull(at);
  if (type == INTEGER && format == FORMAT_INTEGER) return json.putInteger(at, integer);
  if (type == TEXT && format == FORMAT_TEXT) return json.putText(at, address, length);
  if (type == INTEGER && format == FORMAT_TIMESTAMP) return json.putTimestamp(at, integer, false);
  return encodeSeldom(at, emitter, field, type);
}

function encodeSeldom(at: usize, emitter: usize, field: usize, type: i32): usize {
  const format = load<u32>(field, FIELD_FORMAT);
  switch (format) {
    case FORMAT_TEXT:
      break;
    case FORMAT_JSON:
      if (type == TEXT) return json.putRaw(at, address, length);
      break;
    case FORMAT_BYTES:
      if (type == BLOB) return json.putBase64(at, address, length);
      break;
    case FORMAT_REAL:
    case FORMAT_FLOAT:
      if (type == INTEGER) real = <f64>integer;
      else if (type != FLOAT) break;
      return json.putReal(at, real, format == FORMAT_FLOAT);
    case FORMAT_WIDE:
      if (readWide(type)) return json.putDecimal(at, low, high, load<u32>(field, FIELD_SCALE));
      break;
    default:
      if (type == INTEGER) return encodeInteger(at, format, field);
  }
  wrongValue = wrong(emitter, load<u32>(field));
  return at;
}

function encodeInteger(at: usize, format: u32, field: usize): usize {
  switch (format) {
    case FORMAT_BOOLEAN:
      return json.putBoolean(at, integer != 0);
    case FORMAT_TIMESTAMP_LTZ:
      return json.putTimestamp(at, integer, true);
    case FORMAT_DATE:
      return json.putDate(at, integer);
    case FORMAT_TIME:
      return json.putTime(at, integer);
    default:
      return json.putDecimal(at, <u64>integer, integer >> 63, load<u32>(field, FIELD_SCALE));
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
function fetch(column: u32): i32 {
  return table == 0 ? fetchResult(statement, column) : fetchCell(column);
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

// @ts-ignore: decorator
@inline
function fetchCell(column: u32): i32 {
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
