/** Records as lines. */

import * as z from "zod";
import { option } from "../runtime/node/option-kinds.ts";
import { harmless, type Output, styled } from "./io.ts";
import { humanTime } from "./numbers.ts";
import type { ReadRecord } from "./record-reader.ts";

const shownFields = ["partition", "offset", "timestamp", "key", "headers"] as const;
export type ShownField = (typeof shownFields)[number];

const shownSchema = z
  .string()
  .transform((list) => list.split(",").map((field) => field.trim()))
  .pipe(z.array(z.enum(shownFields))) as unknown as z.ZodType<readonly ShownField[], string>;

/** `--show key,offset`. */
export const showOption = option(
  "FIELD,…",
  `some of ${shownFields.join(", ")}, separated by commas`,
  shownSchema,
  { doc: `print before each value, parted by tabs: ${shownFields.join(", ")}` },
);

/** One JSON object. */
export function recordJson(partition: number, record: ReadRecord): string {
  return `${JSON.stringify({ partition, ...record })}\n`;
}

/**
 * The value, the fields asked for before it. On a terminal control characters are made visible;
 * elsewhere bytes go out as they came.
 */
export function recordText(
  output: Output,
  record: ReadRecord,
  options: { readonly partition: number; readonly show: readonly ShownField[] },
): Uint8Array {
  const fields = options.show.map((field) => fieldText(record, field, options.partition));
  const head = fields.map((field) => `${styled(output, "dim", harmless(field))}\t`).join("");
  const value = record.valueBase64 === undefined ? textOf(record.value) : undefined;
  if (value !== undefined)
    return utf8.encode(`${head}${output.isTerminal ? harmless(value) : value}\n`);
  const bytes = Uint8Array.fromBase64(record.valueBase64 ?? "");
  if (output.isTerminal) {
    return utf8.encode(`${head}${harmless(new TextDecoder().decode(bytes))}\n`);
  }
  return Buffer.concat([utf8.encode(head), bytes, utf8.encode("\n")]);
}

const utf8 = new TextEncoder();

/** A null value is a tombstone; Kafka's console consumer prints the same. */
function textOf(content: unknown): string {
  return typeof content === "string" ? content : "null";
}

function fieldText(record: ReadRecord, field: ShownField, partition: number): string {
  switch (field) {
    case "partition":
      return String(partition);
    case "offset":
      return String(record.offset);
    case "timestamp":
      return humanTime(record.timestamp);
    case "key":
      return record.keyBase64 ?? textOf(record.key);
    case "headers":
      return record.headers
        .map(({ key, value, valueBase64 }) => `${key}:${valueBase64 ?? textOf(value)}`)
        .join(",");
  }
}
