/** What a task has made since its last commit, as record batches without offsets. */
import type { SideRow } from "./operator.ts";

/** Where a batch of records goes. */
export type OutputKind = "result" | "late" | "error";

export interface OutputBatch {
  readonly kind: OutputKind;
  /** Of the topic that it is for. */
  readonly partition: number;
  readonly bytes: Uint8Array;
  readonly recordCount: number;
}

/** A late row, or one in error, as its record's value: JSON, the record's own value as it came. */
export function sideRecord(row: SideRow): Uint8Array {
  const { origin, reason } = row;
  return encoder.encode(
    JSON.stringify({
      topic: origin?.topic ?? null,
      partition: origin?.partition ?? null,
      offset: origin?.offset ?? null,
      reason,
      ...rawValue(origin?.value ?? null),
    }),
  );
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that are no UTF-8 stand under a name of their own, as in what HTTP readers get. */
function rawValue(value: Uint8Array | null): Record<string, string | null> {
  if (value === null) return { value: null };
  try {
    return { value: decoder.decode(value) };
  } catch {
    return { valueBase64: value.toBase64() };
  }
}
