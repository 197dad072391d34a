/** One wanted value, by its column's type. */
import {
  BAD_TEXT,
  BOOLEAN,
  BYTES,
  DATE,
  DECIMAL,
  DOUBLE,
  FLOAT,
  INTEGER,
  TEXT,
  TIME,
  TIMESTAMP,
  WIDE_DECIMAL,
  setNull,
  slotOf,
  wrong,
} from "./json-layout";
import { QUOTE, TRUE, isFalse, skipMistyped } from "./json-scan";
import { contentOf, decodeBytes, decodeRaw, decodeText, textEnd, textStart, trimContent } from "./json-text";
import { decodeDecimal, decodeInteger, decodeReal } from "./json-number";
import { decodeDate, decodeTime, decodeTimestamp } from "./json-time";

/** Writes the value at `p` to `column` and gives the address behind it, or 0 after `stop`. */
export function decodeValue(p: usize, column: usize): usize {
  switch (load<u32>(column)) {
    case INTEGER:
      return decodeInteger(p, column);
    case BOOLEAN:
      return decodeBoolean(p, column);
    case DOUBLE:
    case FLOAT:
      return decodeReal(p, column);
    case DECIMAL:
    case WIDE_DECIMAL:
      return decodeDecimal(p, column);
    case TEXT:
      return decodeText(p, column);
    case BYTES:
      return decodeBytes(p, column);
    case DATE:
      return decodeDate(p, column);
    case TIME:
      return decodeTime(p, column);
    case TIMESTAMP:
      return decodeTimestamp(p, column);
    default:
      return decodeRaw(p, column);
  }
}

/** true and false, also in quotes and any case, as Java's parseBoolean; any other text is wrong. */
function decodeBoolean(p: usize, column: usize): usize {
  if (load<u32>(p) === TRUE) return putBoolean(p + 4, column, true);
  if (isFalse(p)) return putBoolean(p + 5, column, false);
  if (load<u8>(p) !== QUOTE) return skipMistyped(p, column);
  const end = contentOf(p + 1);
  if (end === 0) return 0;
  trimContent();
  const length = textEnd - textStart;
  const word = load<u32>(textStart) | 0x20202020;
  if (length === 4 && word === TRUE) return putBoolean(end, column, true);
  // "fals" and "e".
  if (length === 5 && word === 0x736c6166 && (load<u8>(textStart, 4) | 32) === 101) {
    return putBoolean(end, column, false);
  }
  wrong(column, BAD_TEXT, p);
  return end;
}

function putBoolean(end: usize, column: usize, value: bool): usize {
  store<i64>(slotOf(column), <i64>value);
  setNull(column, false);
  return end;
}
