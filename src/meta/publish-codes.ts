/**
 * Verdicts as small integers, since receipts are stored: a number is never given another meaning.
 * The SQL of publish uses the same numbers.
 */
import type { ErrorCode } from "../base/stream-error.ts";

export const verdict = {
  appended: 0,
  topicUnknown: 1,
  partitionUnknown: 2,
  producerFenced: 3,
  sequenceOutOfOrder: 4,
  sequenceDuplicate: 5,
  guardFailed: 6,
  /** Only within the batch: the run does not start at last + 1, duplicates are to be found. */
  probe: 90,
  /** An HTTP request published before: nothing appended, the first answer is given again. */
  repeated: 91,
  /** Every batch of the run was published before. */
  duplicate: 92,
} as const;

const codes: Readonly<Record<number, "ok" | ErrorCode>> = {
  [verdict.appended]: "ok",
  [verdict.topicUnknown]: "topic_unknown",
  [verdict.partitionUnknown]: "partition_unknown",
  [verdict.producerFenced]: "producer_fenced",
  [verdict.sequenceOutOfOrder]: "sequence_out_of_order",
  [verdict.sequenceDuplicate]: "sequence_duplicate",
  [verdict.guardFailed]: "guard_failed",
  [verdict.repeated]: "ok",
  [verdict.duplicate]: "ok",
};

/** The code of a stored verdict. A number that is not known here is a broken receipt. */
export function codeOfVerdict(stored: number): "ok" | ErrorCode {
  const code = codes[stored];
  if (code === undefined) throw new Error(`Broken invariant: verdict ${stored} in a receipt`);
  return code;
}
