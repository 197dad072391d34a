/**
 * What a subquery gave, from the JSON texts of its rows back to values: the constants that stand
 * for it in the statement around it.
 */
import { StreamError } from "../base/stream-error.ts";
import { valueOfText } from "../sql/check/fold.ts";
import type { PendingSubquery } from "../sql/check/subquery-answers.ts";
import type { QueryPlan } from "../sql/plan/plan.ts";
import type { SqlValue } from "../sql/plan/scalar.ts";
import type { DataType } from "../sql/types/data-type.ts";
import { showType } from "../sql/types/show-type.ts";
import type { RowsChunk } from "./sql-result.ts";

/** Values of one list, and the bytes of their texts: they become part of a statement. */
const valuesMax = 100_000;
const valueBytesMax = 8 * 1024 * 1024;

const decoder = new TextDecoder();
const prefix = '{"v":';

/** The plan with its first column under a name of one letter, whose place in a row is known. */
export function planOfValues(plan: QueryPlan): QueryPlan {
  const columns = plan.root.columns.map((column, index) => {
    return { ...column, name: index === 0 ? "v" : `v${index}` };
  });
  return { ...plan, root: { ...plan.root, columns } };
}

/**
 * Reads no more rows than it takes to know.
 * @throws StreamError `sql_evaluation_failed`
 */
export async function subqueryValues(
  { use, plan }: PendingSubquery,
  rows: AsyncIterable<RowsChunk>,
): Promise<readonly SqlValue[]> {
  const values = new Map<string, SqlValue>();
  let rowCount = 0;
  let bytes = 0;
  for await (const chunk of rows) {
    for (const row of chunk.rows) {
      rowCount += 1;
      if (use === "exists") return [1n];
      if (use === "value" && rowCount > 1) {
        throw failed("a subquery that stands for one value gave more than one row");
      }
      const text = decoder.decode(row).slice(prefix.length, -1);
      if (values.has(text)) continue;
      values.set(text, constantOf(text, plan));
      bytes += text.length;
      if (values.size > valuesMax || bytes > valueBytesMax) {
        throw failed(
          `the subquery of IN gave more than ${valuesMax} different values, or more than ` +
            `${valueBytesMax} bytes of them; let it give fewer, or join windows`,
        );
      }
    }
  }
  return use === "exists" ? [0n] : [...values.values()];
}

function constantOf(text: string, { root, timeZone }: QueryPlan): SqlValue {
  const type = root.columns[0]?.type ?? { kind: "null" };
  if (text === "null") return null;
  const value = decoded(text, type, timeZone);
  if (value !== undefined) return value;
  throw failed(`a subquery that gives ${showType(type)} cannot stand for a value`);
}

function decoded(text: string, type: DataType, timeZone: string): SqlValue | undefined {
  switch (type.kind) {
    case "float":
      return Number(text);
    case "json":
    case "row":
      return text;
    case "bytes":
      return Uint8Array.fromBase64(JSON.parse(text) as string);
    case "timestampLtz": {
      // As Flink writes it, in UTC: `2026-01-01 00:00:10.000Z`.
      const shown = (JSON.parse(text) as string).replace(/Z$/, "");
      return valueOfText(shown, { kind: "timestamp" }, timeZone);
    }
    default: {
      const plain = text.startsWith('"') ? (JSON.parse(text) as string) : text;
      return valueOfText(plain, type, timeZone);
    }
  }
}

function failed(reason: string): StreamError {
  return new StreamError("sql_evaluation_failed", `Cannot run the query: ${reason}`);
}
