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

/**
 * A late row, or one in error, as its record's value: JSON, the record's own value as it came. One
 * that would make the record larger than `bytesMax` is cut, and `valueBytes` tells how long it was:
 * the record itself lies at the place that is named.
 */
export function sideRecord({ origin, reason }: SideRow, bytesMax: number): Uint8Array {
  const value = origin?.value ?? null;
  const place = {
    topic: origin?.topic ?? null,
    partition: origin?.partition ?? null,
    offset: origin?.offset ?? null,
  };
  const recordOf = (text: string, raw: object) =>
    encoder.encode(JSON.stringify({ ...place, reason: text, ...raw }));
  const isShort = value === null || value.length <= bytesMax;
  if (isShort && reason.length <= bytesMax) {
    const whole = recordOf(reason, rawValue(value));
    if (whole.length <= bytesMax) return whole;
  }
  // A byte takes up to six in JSON, and the reason may quote the value.
  const kept = Math.max(0, Math.floor((bytesMax - roomBytes) / 12));
  const valueBytes = value?.length ?? 0;
  const start = value === null ? {} : { ...rawValue(wholeText(value, kept)), valueBytes };
  return recordOf(reason.length <= kept ? reason : `${reason.slice(0, kept)}…`, start);
}

/** For what stands around reason and value. */
const roomBytes = 1024;

/** The first bytes, without part of a character at their end. */
function wholeText(value: Uint8Array, bytes: number): Uint8Array {
  let end = Math.min(bytes, value.length);
  while (end > 0 && end < value.length && ((value[end] ?? 0) & 0xc0) === 0x80) end--;
  return value.subarray(0, end);
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
