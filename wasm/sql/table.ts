/**
 * SQLite's virtual table over a Table of `src/sql/memory/column-layout.ts`: rows that kernels made
 * are read by SQL without a copy. The exported functions are the callbacks of an `sqlite3_module`;
 * the module's client data is the Table, read again whenever a scan begins, so that pointing it
 * elsewhere needs nothing prepared anew.
 *
 * Rows come in ascending order, always: whoever goes on behind a row that failed relies on it. That
 * is why every plan has the same cost (SQLite would scan once per side of an OR) and why IN lists
 * are left to SQLite (it would scan once per element). Constraints are looked at by `xNext` only to
 * leave rows out early; SQLite checks every one again, so that a constraint whose value has another
 * type is simply not used.
 *
 * sqlite3_vtab as ours: 12 bytes of SQLite's, then u32 Table. Cursor:
 *
 *    0  u32 sqlite3_vtab            16  u32 selection, or 0
 *    4  u32 row, index of the scan  20  u32 filterCount
 *    8  u32 rowCount                24  u32 Table
 *   12  u32 columns                 28  u32 place of the row in its columns
 *   32  filters of 24 bytes: u32 column, u32 operator, then i64 value, or u32 text and u32 length
 *       (or a blob; a copy that the cursor owns), then u32 1 if it is one
 *  176  16 bytes in which a wide value becomes a BLOB
 *  192  u32 index: buckets, then links, each a row + 1; 0: none (see `parts/row-index.ts`)
 *  196  u32 indexedFilters, how many equalities it is of   200  u32 bucketMask
 *  204  u32 link, row + 1 that comes next in its chain     208  u32 1: the scan follows a chain
 *  212  u32 how often a scan began
 */
import {
  COLUMN_BASE,
  COLUMN_KIND,
  COLUMN_SHIFT,
  COLUMN_STRIDE,
  isNull,
  KIND_BLOB,
  KIND_INTEGER,
  KIND_REAL,
  KIND_TEXT,
  SLACK,
  sameBytes,
  slotOf,
  storeWideBlob,
  TABLE_COLUMNS,
  TABLE_CURRENT,
  TABLE_FIRST,
  TABLE_ROW_COUNT,
  TABLE_SCHEMA,
  TABLE_SELECTION,
} from "./parts/layout";
import { bucketMaskFor, buildIndex, countEqualities, hashValues } from "./parts/row-index";
import {
  BLOB,
  declareVtab,
  free,
  INTEGER,
  malloc,
  NOMEM,
  NULL,
  OK,
  resultBlob,
  resultDouble,
  resultInt64,
  resultNull,
  resultText,
  STATIC,
  sqliteFree,
  sqliteMalloc,
  TEXT,
  TRANSIENT,
  valueBlob,
  valueBytes,
  valueInt64,
  valueType,
  vtabCollation,
  vtabIn,
} from "./parts/sqlite";
import {
  EQ,
  FILTER_BYTES,
  FILTER_IS_TEXT,
  FILTER_LENGTH,
  FILTER_OPERATOR,
  FILTER_VALUE,
} from "./parts/table-filter";

const VTAB_TABLE: usize = 12;

const CURSOR_ROW: usize = 4;
const CURSOR_ROW_COUNT: usize = 8;
const CURSOR_COLUMNS: usize = 12;
const CURSOR_SELECTION: usize = 16;
const CURSOR_FILTER_COUNT: usize = 20;
const CURSOR_TABLE: usize = 24;
const CURSOR_PLACE: usize = 28;
const CURSOR_FILTERS: usize = 32;

const FILTERS_MAX: u32 = 6;

const CURSOR_WIDE: usize = CURSOR_FILTERS + FILTER_BYTES * FILTERS_MAX;
const CURSOR_INDEX: usize = CURSOR_WIDE + 16;
const CURSOR_INDEXED_FILTERS: usize = CURSOR_INDEX + 4;
const CURSOR_BUCKET_MASK: usize = CURSOR_INDEX + 8;
const CURSOR_LINK: usize = CURSOR_INDEX + 12;
const CURSOR_IS_CHAIN: usize = CURSOR_INDEX + 16;
const CURSOR_SCANS: usize = CURSOR_INDEX + 20;
const CURSOR_BYTES: usize = CURSOR_INDEX + 32;

const ROWS_ESTIMATED: i64 = 100_000;

/** Below so many rows an index costs more than it saves. */
const INDEXED_ROWS_MIN: u32 = 32;

const GT: u32 = 4;
const LE: u32 = 8;
const LT: u32 = 16;
const GE: u32 = 32;

/** A used constraint in the plan's string: its operator and four hexadecimal digits of its column. */
const PLAN_BYTES: usize = 5;

export function connect(
  db: usize,
  table: usize,
  argCount: i32,
  args: usize,
  vtabOut: usize,
  errorOut: usize,
): i32 {
  const code = declareVtab(db, load<u32>(table, TABLE_SCHEMA));
  if (code != OK) return code;
  const vtab = sqliteMalloc(16);
  if (vtab == 0) return NOMEM;
  memory.fill(vtab, 0, 16);
  store<u32>(vtab, <u32>table, VTAB_TABLE);
  store<u32>(vtabOut, <u32>vtab);
  return OK;
}

export function disconnect(vtab: usize): i32 {
  sqliteFree(vtab);
  return OK;
}

export function open(vtab: usize, cursorOut: usize): i32 {
  const cursor = malloc(CURSOR_BYTES);
  if (cursor == 0) return NOMEM;
  memory.fill(cursor, 0, CURSOR_BYTES);
  store<u32>(cursorOut, <u32>cursor);
  return OK;
}

export function close(cursor: usize): i32 {
  dropFilters(cursor);
  free(load<u32>(cursor, CURSOR_INDEX));
  free(cursor);
  return OK;
}

function dropFilters(cursor: usize): void {
  let filter = cursor + CURSOR_FILTERS;
  for (let left = load<u32>(cursor, CURSOR_FILTER_COUNT); left > 0; left--) {
    if (load<u32>(filter, FILTER_IS_TEXT)) free(load<u32>(filter, FILTER_VALUE));
    filter += FILTER_BYTES;
  }
  store<u32>(cursor, 0, CURSOR_FILTER_COUNT);
}

/**
 * sqlite3_index_info: 0 constraint count, 4 constraints (12 bytes: i32 column, u8 operator, u8
 * usable), 16 their uses (8 bytes: i32 argument number, u8 omit), 20 idxNum, 24 idxStr, 28 whether
 * to free it, 40 f64 cost, 48 i64 rows.
 */
export function bestIndex(vtab: usize, info: usize): i32 {
  const table = <usize>load<u32>(vtab, VTAB_TABLE);
  const columns = <usize>load<u32>(table, TABLE_COLUMNS);
  const count = load<u32>(info);
  let constraint = <usize>load<u32>(info, 4);
  let use = <usize>load<u32>(info, 16);
  let used: u32 = 0;
  let plan: usize = 0;
  let hasEquality = false;
  for (let index: u32 = 0; index < count && used < FILTERS_MAX; index++) {
    if (isUsable(info, index, constraint, columns)) {
      if (plan == 0) {
        plan = sqliteMalloc(<i32>(PLAN_BYTES * FILTERS_MAX + 1));
        if (plan == 0) return NOMEM;
      }
      const operator = load<u8>(constraint, 4);
      writePlan(plan + PLAN_BYTES * used, operator, load<u32>(constraint));
      if (operator == EQ) hasEquality = true;
      store<u32>(use, ++used);
    }
    constraint += 12;
    use += 8;
  }
  if (plan != 0) store<u8>(plan + PLAN_BYTES * used, 0);
  store<u32>(info, used, 20);
  store<u32>(info, <u32>plan, 24);
  store<u32>(info, plan != 0 ? 1 : 0, 28);
  // Statements are prepared before there are rows: the estimates are of some micro-batch.
  store<f64>(info, <f64>ROWS_ESTIMATED, 40);
  store<i64>(info, hasEquality ? ROWS_ESTIMATED / 100 : used > 0 ? ROWS_ESTIMATED / 4 : ROWS_ESTIMATED, 48);
  return OK;
}

function isUsable(info: usize, index: u32, constraint: usize, columns: usize): bool {
  const column = load<i32>(constraint);
  const operator = load<u8>(constraint, 4);
  if (load<u8>(constraint, 5) == 0 || column < 0 || column > 0xffff) return false;
  const kind = load<u32>(columns + ((<usize>column) << COLUMN_SHIFT), COLUMN_KIND);
  if (kind == KIND_TEXT) {
    if (operator != EQ || !isBinary(vtabCollation(info, index))) return false;
  } else if (kind == KIND_BLOB) {
    if (operator != EQ) return false;
  } else if (kind == KIND_INTEGER) {
    if (operator != EQ && operator != GT && operator != LE && operator != LT && operator != GE) {
      return false;
    }
  } else {
    return false;
  }
  return operator != EQ || vtabIn(info, index, -1) == 0;
}

/** The collation is "BINARY". */
function isBinary(name: usize): bool {
  return load<u32>(name) == 0x414e4942 && load<u16>(name, 4) == 0x5952 && load<u8>(name, 6) == 0;
}

function writePlan(at: usize, operator: u32, column: u32): void {
  // '=' '>' '[' '<' ']', for whoever reads EXPLAIN QUERY PLAN.
  const sign = operator == EQ ? 61 : operator == GT ? 62 : operator == GE ? 91 : operator == LT ? 60 : 93;
  store<u8>(at, <u8>sign);
  for (let digit: u32 = 0; digit < 4; digit++) {
    const value = (column >> (12 - 4 * digit)) & 15;
    store<u8>(at + 1 + digit, <u8>(value < 10 ? 48 + value : 87 + value));
  }
}

function operatorOf(plan: usize): u32 {
  const sign = load<u8>(plan);
  return sign == 61 ? EQ : sign == 62 ? GT : sign == 91 ? GE : sign == 60 ? LT : LE;
}

function columnOf(plan: usize): usize {
  let column: usize = 0;
  for (let digit: usize = 1; digit < PLAN_BYTES; digit++) {
    const letter = <usize>load<u8>(plan + digit);
    column = (column << 4) | (letter < 58 ? letter - 48 : letter - 87);
  }
  return column;
}

export function filter(
  cursor: usize,
  planNumber: i32,
  plan: usize,
  argCount: i32,
  args: usize,
): i32 {
  const table = <usize>load<u32>(load<u32>(cursor), VTAB_TABLE);
  const columns = <usize>load<u32>(table, TABLE_COLUMNS);
  dropFilters(cursor);
  store<u32>(cursor, load<u32>(table, TABLE_FIRST), CURSOR_ROW);
  store<u32>(cursor, load<u32>(table, TABLE_ROW_COUNT), CURSOR_ROW_COUNT);
  store<u32>(cursor, <u32>columns, CURSOR_COLUMNS);
  store<u32>(cursor, load<u32>(table, TABLE_SELECTION), CURSOR_SELECTION);
  store<u32>(cursor, <u32>table, CURSOR_TABLE);
  let count: u32 = 0;
  for (let index = 0; index < argCount; index++) {
    const value = <usize>load<u32>(args + (<usize>index << 2));
    const part = plan + PLAN_BYTES * index;
    const column = columns + (columnOf(part) << COLUMN_SHIFT);
    const type = valueType(value);
    // Nothing compares with NULL.
    if (type == NULL) store<u32>(cursor, 0, CURSOR_ROW_COUNT);
    const kind = load<u32>(column, COLUMN_KIND);
    const isText = kind != KIND_INTEGER;
    if (type != (kind == KIND_TEXT ? TEXT : isText ? BLOB : INTEGER)) continue;
    const to = cursor + CURSOR_FILTERS + FILTER_BYTES * count;
    store<u32>(to, <u32>column);
    store<u32>(to, operatorOf(part), FILTER_OPERATOR);
    store<u32>(to, isText ? 1 : 0, FILTER_IS_TEXT);
    if (isText) {
      const length = <usize>valueBytes(value);
      const copy = malloc(length + SLACK);
      if (copy == 0) return NOMEM;
      memory.copy(copy, valueBlob(value), length);
      store<u32>(to, <u32>copy, FILTER_VALUE);
      store<u32>(to, <u32>length, FILTER_LENGTH);
    } else {
      store<i64>(to, valueInt64(value), FILTER_VALUE);
    }
    store<u32>(cursor, ++count, CURSOR_FILTER_COUNT);
  }
  if (startChain(cursor)) return follow(cursor);
  return seek(cursor, load<u32>(cursor, CURSOR_ROW));
}

/**
 * An inner side of a join is scanned once per row of the outer one: from the second scan on, its
 * equalities are looked up in an index that lives as long as the cursor. False: scan.
 */
function startChain(cursor: usize): bool {
  store<u32>(cursor, 0, CURSOR_IS_CHAIN);
  const scans = load<u32>(cursor, CURSOR_SCANS) + 1;
  store<u32>(cursor, scans, CURSOR_SCANS);
  const first = load<u32>(cursor, CURSOR_ROW);
  const rowCount = load<u32>(cursor, CURSOR_ROW_COUNT);
  if (scans < 2 || rowCount < first + INDEXED_ROWS_MIN) return false;
  const filters = cursor + CURSOR_FILTERS;
  const filterCount = load<u32>(cursor, CURSOR_FILTER_COUNT);
  const equalities = countEqualities(filters, filterCount);
  if (equalities == 0) return false;
  if (load<u32>(cursor, CURSOR_INDEX) == 0) {
    const mask = bucketMaskFor(rowCount - first);
    const selection = <usize>load<u32>(cursor, CURSOR_SELECTION);
    const built = buildIndex(filters, filterCount, selection, first, rowCount, mask);
    // Without memory for it, scans do.
    if (built == 0) return false;
    store<u32>(cursor, <u32>built, CURSOR_INDEX);
    store<u32>(cursor, equalities, CURSOR_INDEXED_FILTERS);
    store<u32>(cursor, mask, CURSOR_BUCKET_MASK);
  } else if (load<u32>(cursor, CURSOR_INDEXED_FILTERS) != equalities) {
    // A value of another type is no filter: this scan has other ones than the index is of.
    return false;
  }
  const bucket = hashValues(filters, filterCount) & load<u32>(cursor, CURSOR_BUCKET_MASK);
  const index = <usize>load<u32>(cursor, CURSOR_INDEX);
  store<u32>(cursor, load<u32>(index + ((<usize>bucket) << 2)), CURSOR_LINK);
  store<u32>(cursor, 1, CURSOR_IS_CHAIN);
  return true;
}

/** Goes to the next row of the chain that passes. */
function follow(cursor: usize): i32 {
  const filterCount = load<u32>(cursor, CURSOR_FILTER_COUNT);
  const selection = <usize>load<u32>(cursor, CURSOR_SELECTION);
  const buckets = <usize>load<u32>(cursor, CURSOR_BUCKET_MASK) + 1;
  const links = <usize>load<u32>(cursor, CURSOR_INDEX) + (buckets << 2);
  let link = load<u32>(cursor, CURSOR_LINK);
  while (link != 0) {
    const row = link - 1;
    const place = selection == 0 ? row : load<u32>(selection + ((<usize>row) << 2));
    link = load<u32>(links + ((<usize>row) << 2));
    if (passes(cursor, filterCount, place)) {
      store<u32>(cursor, link, CURSOR_LINK);
      store<u32>(cursor, row, CURSOR_ROW);
      store<u32>(cursor, place, CURSOR_PLACE);
      store<u32>(load<u32>(cursor, CURSOR_TABLE), row, TABLE_CURRENT);
      return OK;
    }
  }
  store<u32>(cursor, load<u32>(cursor, CURSOR_ROW_COUNT), CURSOR_ROW);
  return OK;
}

export function next(cursor: usize): i32 {
  if (load<u32>(cursor, CURSOR_IS_CHAIN)) return follow(cursor);
  return seek(cursor, load<u32>(cursor, CURSOR_ROW) + 1);
}

/** Goes to the first row from `start` on that no filter leaves out. */
function seek(cursor: usize, start: u32): i32 {
  const rowCount = load<u32>(cursor, CURSOR_ROW_COUNT);
  const filterCount = load<u32>(cursor, CURSOR_FILTER_COUNT);
  const selection = <usize>load<u32>(cursor, CURSOR_SELECTION);
  let row = start;
  let place = start;
  if (selection == 0) {
    if (filterCount == 1) {
      row = seekOne(cursor + CURSOR_FILTERS, row, rowCount);
    } else if (filterCount > 1) {
      while (row < rowCount && !passes(cursor, filterCount, row)) row++;
    }
    place = row;
  } else {
    while (row < rowCount) {
      place = load<u32>(selection + ((<usize>row) << 2));
      if (passes(cursor, filterCount, place)) break;
      row++;
    }
  }
  store<u32>(cursor, row, CURSOR_ROW);
  store<u32>(cursor, place, CURSOR_PLACE);
  if (row < rowCount) store<u32>(load<u32>(cursor, CURSOR_TABLE), row, TABLE_CURRENT);
  return OK;
}

/** The common case, one filter: equality of integers side by side goes four at a time. */
function seekOne(filter: usize, start: u32, rowCount: u32): u32 {
  const column = <usize>load<u32>(filter);
  let row = start;
  const isPlain =
    load<u32>(filter, FILTER_OPERATOR) == EQ &&
    load<u32>(filter, FILTER_IS_TEXT) == 0 &&
    load<u32>(column, COLUMN_STRIDE) == 8;
  if (!isPlain) {
    while (row < rowCount && !passesOne(filter, row)) row++;
    return row;
  }
  const wanted = i64x2.splat(load<i64>(filter, FILTER_VALUE));
  while (row < rowCount) {
    let at = slotOf(column, row);
    while (row + 4 <= rowCount) {
      const low = i64x2.eq(v128.load(at), wanted);
      if (v128.any_true(v128.or(low, i64x2.eq(v128.load(at, 16), wanted)))) break;
      row += 4;
      at += 32;
    }
    const end = row + 4 < rowCount ? row + 4 : rowCount;
    while (row < end && !passesOne(filter, row)) row++;
    if (row < end) return row;
  }
  return row;
}

function passes(cursor: usize, filterCount: u32, place: u32): bool {
  let filter = cursor + CURSOR_FILTERS;
  for (let left = filterCount; left > 0; left--) {
    if (!passesOne(filter, place)) return false;
    filter += FILTER_BYTES;
  }
  return true;
}

function passesOne(filter: usize, place: u32): bool {
  const column = <usize>load<u32>(filter);
  const slot = slotOf(column, place);
  if (isNull(column, place)) return false;
  if (load<u32>(filter, FILTER_IS_TEXT)) {
    const length = load<u32>(filter, FILTER_LENGTH);
    if (load<u32>(slot, 4) != length) return false;
    const text = <usize>load<u32>(slot) + load<u32>(column, COLUMN_BASE);
    return sameBytes(text, load<u32>(filter, FILTER_VALUE), length);
  }
  const value = load<i64>(slot);
  const wanted = load<i64>(filter, FILTER_VALUE);
  switch (load<u32>(filter, FILTER_OPERATOR)) {
    case EQ:
      return value == wanted;
    case GT:
      return value > wanted;
    case LE:
      return value <= wanted;
    case LT:
      return value < wanted;
    default:
      return value >= wanted;
  }
}

export function eof(cursor: usize): i32 {
  return load<u32>(cursor, CURSOR_ROW) >= load<u32>(cursor, CURSOR_ROW_COUNT) ? 1 : 0;
}

export function column(cursor: usize, context: usize, index: i32): i32 {
  const column = <usize>load<u32>(cursor, CURSOR_COLUMNS) + ((<usize>index) << COLUMN_SHIFT);
  const place = load<u32>(cursor, CURSOR_PLACE);
  if (isNull(column, place)) {
    resultNull(context);
    return OK;
  }
  const slot = slotOf(column, place);
  switch (load<u32>(column, COLUMN_KIND)) {
    case KIND_INTEGER:
      resultInt64(context, load<i64>(slot));
      break;
    case KIND_REAL:
      resultDouble(context, load<f64>(slot));
      break;
    case KIND_TEXT: {
      const length = load<i32>(slot, 4);
      resultText(context, bytesOf(column, slot, length), length, STATIC);
      break;
    }
    case KIND_BLOB: {
      const length = load<i32>(slot, 4);
      resultBlob(context, bytesOf(column, slot, length), length, STATIC);
      break;
    }
    default: {
      const blob = cursor + CURSOR_WIDE;
      storeWideBlob(blob, load<u64>(slot), load<i64>(slot, 8));
      resultBlob(context, blob, 16, TRANSIENT);
    }
  }
  return OK;
}

/** SQLite takes address 0 for NULL even if it is nothing that lies there. */
// @ts-ignore: decorator
@inline
function bytesOf(column: usize, slot: usize, length: i32): usize {
  return length == 0 ? slot : <usize>load<u32>(slot) + load<u32>(column, COLUMN_BASE);
}

export function rowid(cursor: usize, rowidOut: usize): i32 {
  store<i64>(rowidOut, <i64>load<u32>(cursor, CURSOR_ROW));
  return OK;
}
