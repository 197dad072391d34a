/**
 * Compares the metadata with the store: every index row must point at whole batches of just its
 * records, and the rows of a partition must follow each other from its start to its end.
 */
import type { Crc32c } from "../base/crc32c.ts";
import { isStreamError } from "../base/stream-error.ts";
import { livePartitions, type WalkedPartition, walkExtents } from "../meta/extent-walk.ts";
import type { Extent } from "../meta/log-index.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { batchesIn, checkBatchCrc } from "../record/batch.ts";
import type { ObjectStore } from "../store/object-store.ts";

export interface AuditOptions {
  readonly database: SqlDatabase;
  readonly store: ObjectStore;
  readonly crc32c: Crc32c;
  /** Rows of this object alone; then no gaps between rows are looked for. */
  readonly key?: string;
  readonly signal: AbortSignal;
  readonly onProblem: (message: string) => Promise<void>;
  readonly onProgress: (counts: AuditCounts) => Promise<void>;
}

export interface AuditCounts {
  rows: number;
  records: number;
  bytes: number;
  problems: number;
}

/** Walks all index rows; resolves to what was seen. */
export async function auditIndex(options: AuditOptions): Promise<AuditCounts> {
  const counts = { rows: 0, records: 0, bytes: 0, problems: 0 };
  const partitions = await livePartitions(options.database);
  const byPlace = new Map(partitions.map((each) => [placeOf(each), each]));
  const ends = new Map<string, number>();
  const report = async (message: string) => {
    counts.problems += 1;
    await options.onProblem(message);
  };
  const walked = options.key === undefined ? {} : { key: options.key };
  for await (const extent of walkExtents(options.database, walked)) {
    options.signal.throwIfAborted();
    const partition = byPlace.get(placeOf(extent));
    // Rows of a topic that is being deleted go in slices.
    if (partition === undefined) continue;
    const name = `${partition.topic}/${partition.partition}`;
    const end = ends.get(placeOf(extent));
    if (options.key === undefined) {
      const fault = orderFault(partition, extent, end);
      if (fault !== undefined) await report(`${name}: ${fault}`);
    }
    ends.set(placeOf(extent), extent.lastOffset + 1);
    for (const fault of await bytesFaults(options, extent)) await report(`${name}: ${fault}`);
    counts.rows += 1;
    counts.records += extent.lastOffset - extent.baseOffset + 1;
    counts.bytes += extent.length;
    await options.onProgress(counts);
  }
  if (options.key === undefined) {
    for (const partition of partitions) {
      const fault = endFault(partition, ends.get(placeOf(partition)));
      if (fault !== undefined) await report(`${partition.topic}/${partition.partition}: ${fault}`);
    }
  }
  return counts;
}

function placeOf(of: { readonly topicNumber: number; readonly partition: number }): string {
  return `${of.topicNumber}/${of.partition}`;
}

function orderFault(
  { logStartOffset }: WalkedPartition,
  extent: Extent,
  end: number | undefined,
): string | undefined {
  if (end === undefined) {
    if (extent.baseOffset <= logStartOffset) return undefined;
    return `offsets ${logStartOffset} to ${extent.baseOffset - 1} have no index row`;
  }
  if (extent.baseOffset === end) return undefined;
  return extent.baseOffset > end
    ? `offsets ${end} to ${extent.baseOffset - 1} have no index row`
    : `offset ${extent.baseOffset} has two index rows`;
}

function endFault(partition: WalkedPartition, end: number | undefined): string | undefined {
  const { nextOffset, logStartOffset } = partition;
  const reached = end ?? logStartOffset;
  if (reached === nextOffset || nextOffset <= logStartOffset) return undefined;
  return `its index rows end at offset ${reached}, its records at ${nextOffset}`;
}

async function bytesFaults(options: AuditOptions, extent: Extent): Promise<string[]> {
  const place = `offsets ${extent.baseOffset} to ${extent.lastOffset} in ${extent.key}`;
  let records = 0;
  let maxTimestamp = -1;
  try {
    const { key, position, length } = extent;
    const bytes = await options.store.read({ key, position, length }, options.signal);
    for (const batch of batchesIn(bytes)) {
      checkBatchCrc(batch.bytes, options.crc32c);
      records += batch.header.recordCount;
      maxTimestamp = Math.max(maxTimestamp, batch.header.maxTimestamp);
    }
  } catch (error) {
    if (!isStreamError(error) || error.kind === "unavailable") throw error;
    return [`${place}: ${error.message}`];
  }
  const stated = extent.lastOffset - extent.baseOffset + 1;
  const faults: string[] = [];
  if (records !== stated) faults.push(`${place}: ${records} records are there`);
  if (maxTimestamp !== extent.maxTimestamp) {
    faults.push(`${place}: their last time is ${maxTimestamp}, stated ${extent.maxTimestamp}`);
  }
  return faults;
}
