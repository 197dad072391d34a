/** Reads the receipt that is stored with a segment (layout: publish-statements.ts). */
import { codeOfVerdict, verdict } from "./publish-codes.ts";
import type {
  AppendedRange,
  DuplicateBatch,
  EntryReceipt,
  GroupReceipt,
  PublishReceipt,
} from "./publish-request.ts";
import type { SqlValue } from "./sql-database.ts";
import { numberAt, textAt, textOrNullAt } from "./sql-values.ts";

/** An entry of a stored receipt; the last three fields are there unless it was simply appended. */
export type StoredEntry = readonly [
  topicNumber: number,
  partition: number,
  baseOffset: number,
  recordCount: number,
  position: number,
  length: number,
  maxTimestamp: number,
  leaderEpoch: number,
  logStartOffset: number,
  verdict?: number,
  skippedCount?: number,
  duplicates?: readonly DuplicateBatch[],
];

type StoredGroup = readonly [
  verdict: number,
  repeated: readonly (readonly [partition: number, baseOffset: number, count: number])[] | null,
  expectedSequence: number | null,
];

const noDuplicates: readonly DuplicateBatch[] = [];

/** Decodes a row of publish_position, published_at, entries, groups. */
export function decodeReceipt(row: readonly SqlValue[]): PublishReceipt {
  const groups = textOrNullAt(row, 3);
  return {
    publishPosition: numberAt(row, 0),
    publishedAt: numberAt(row, 1),
    entries: decodeStoredEntries(textAt(row, 2)).map(entryReceipt),
    groups: groups === null ? [] : (JSON.parse(groups) as StoredGroup[]).map(groupReceipt),
  };
}

export function decodeStoredEntries(entries: string): readonly StoredEntry[] {
  return JSON.parse(entries) as StoredEntry[];
}

function entryReceipt(stored: StoredEntry): EntryReceipt {
  return {
    code: codeOfVerdict(stored[9] ?? verdict.appended),
    baseOffset: stored[2],
    leaderEpoch: stored[7],
    logStartOffset: stored[8],
    appendedCount: stored[3],
    skippedCount: stored[10] ?? 0,
    duplicates: stored[11] ?? noDuplicates,
  };
}

function groupReceipt(stored: StoredGroup): GroupReceipt {
  const [code, repeated, expectedSequence] = stored;
  return {
    code: codeOfVerdict(code),
    repeated:
      repeated?.map(([partition, baseOffset, count]): AppendedRange => {
        return { partition, baseOffset, count };
      }) ?? null,
    expectedSequence,
  };
}
