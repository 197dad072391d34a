/**
 * Verdicts of publishes as the bytes that receipts keep. A number, once given, means the same for
 * ever; a code without one of its own is kept as "refused", which proves as much: nothing happened.
 */
import type { ErrorCode } from "../base/stream-error.ts";

/** What stands at index n is verdict n. Only ever added to at the end. */
const verdicts = [
  "ok",
  "sequence_out_of_order",
  "sequence_duplicate",
  "producer_fenced",
  "topic_unknown",
  "topic_recreated",
  "partition_unknown",
  "guard_failed",
  "group_unknown",
  "member_unknown",
  "generation_stale",
  "instance_fenced",
  "invalid_request",
] as const satisfies readonly ("ok" | ErrorCode)[];

export type ReceiptVerdict = (typeof verdicts)[number] | "refused";

const refused = 255;

/** The byte that a receipt keeps for `code`. */
export function verdictNumber(code: "ok" | ErrorCode): number {
  const number = (verdicts as readonly string[]).indexOf(code);
  return number === -1 ? refused : number;
}

/** What the byte says; numbers that this version does not know were refusals of a later one. */
export function verdictName(number: number): ReceiptVerdict {
  return verdicts[number] ?? "refused";
}
