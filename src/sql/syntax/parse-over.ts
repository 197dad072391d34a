/** OVER (…) and ORDER BY. */
import type { FrameBound, OverWindow, SortItem, WindowFrame } from "./ast.ts";
import type { Cursor } from "./cursor.ts";

/** The items after ORDER BY, with ORDER BY itself. */
export function parseOrderBy(cursor: Cursor): SortItem[] {
  cursor.expectWord("ORDER", "BY");
  return cursor.list(parseSortItem);
}

function parseSortItem(cursor: Cursor): SortItem {
  const expression = cursor.grammar.expression(cursor);
  const isDescending = cursor.skipAnyWord("ASC", "DESC") === "DESC";
  let nulls: SortItem["nulls"] = null;
  if (cursor.skipAnyWord("NULLS") !== null) {
    nulls = cursor.expectAnyWord("FIRST", "LAST") === "FIRST" ? "first" : "last";
  }
  return { expression, isDescending, nulls, at: cursor.spanFrom(expression) };
}

/** `([PARTITION BY …] [ORDER BY …] [ROWS | RANGE …])`. */
export function parseOverWindow(cursor: Cursor): OverWindow {
  const start = cursor.token;
  cursor.expectSymbol("(");
  cursor.want("PARTITION BY");
  const partitionBy = cursor.isWord("PARTITION") ? parsePartitionBy(cursor) : [];
  cursor.want("ORDER BY");
  const orderBy = cursor.isWord("ORDER") ? parseOrderBy(cursor) : [];
  const frame = parseFrame(cursor);
  cursor.expectSymbol(")");
  return { kind: "over", partitionBy, orderBy, frame, at: cursor.spanFrom(start) };
}

function parsePartitionBy(cursor: Cursor) {
  cursor.expectWord("PARTITION", "BY");
  return cursor.list(cursor.grammar.expression);
}

function parseFrame(cursor: Cursor): WindowFrame | null {
  const start = cursor.token;
  const unit = cursor.acceptAnyWord("ROWS", "RANGE");
  if (unit === null) return null;
  if (cursor.acceptWord("BETWEEN")) {
    const low = parseBound(cursor);
    cursor.expectWord("AND");
    const high = parseBound(cursor);
    return { unit, low, high, at: cursor.spanFrom(start) };
  }
  const low = parseBound(cursor);
  const at = cursor.spanFrom(start);
  return { unit, low, high: { kind: "currentRow", at: { start: at.end, end: at.end } }, at };
}

function parseBound(cursor: Cursor): FrameBound {
  const start = cursor.token;
  if (cursor.acceptWords("CURRENT", "ROW")) {
    return { kind: "currentRow", at: cursor.spanFrom(start) };
  }
  if (cursor.acceptWord("UNBOUNDED")) {
    const side = cursor.expectAnyWord("PRECEDING", "FOLLOWING");
    const kind = side === "PRECEDING" ? "unboundedPreceding" : "unboundedFollowing";
    return { kind, at: cursor.spanFrom(start) };
  }
  const distance = cursor.grammar.addend(cursor);
  const side = cursor.expectAnyWord("PRECEDING", "FOLLOWING");
  const kind = side === "PRECEDING" ? "preceding" : "following";
  return { kind, distance, at: cursor.spanFrom(start) };
}
