/**
 * What must be cut when bytes are lost. A partition is cut at its first lost row, and everything
 * behind goes with it; that may take one entry of a publish group whose other entries lie in other
 * partitions, or one request of an HTTP producer of which later ones are there. A group is all or
 * nothing and a producer's requests have no holes, so those are cut too, with everything behind
 * them; and so is what queries have made of records that are cut. It ends when nothing more
 * follows.
 */
import { assert } from "../base/assert.ts";
import type { Platform } from "../base/platform.ts";
import { isStreamError } from "../base/stream-error.ts";
import {
  bytesOfPublishes,
  type Cut,
  commitsBehind,
  cutHttpProducers,
  extentsAt,
  extentsIn,
  type GroupedExtent,
  groupedExtents,
  type ObjectBytes,
  type OffsetRange,
} from "../meta/cut.ts";
import { type Extent, type PartitionRef, partitionStates } from "../meta/log-index.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { scanSegments } from "../segment/scan.ts";
import type { SegmentFooter } from "../segment/segment.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { type PartitionSlot, partitionSlot } from "./partition-slot.ts";

export interface CutPlanParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly store: ObjectStore;
}

/** The cuts that follow from the loss of these bytes, by topic and partition. */
export async function planCuts(
  parts: CutPlanParts,
  lost: readonly ObjectBytes[],
): Promise<readonly Cut[]> {
  const plan = new CutPlan(parts);
  let rows = await extentsIn(parts.database, lost);
  while (rows.length > 0) {
    const lowered = await plan.lower(rows);
    if (lowered.length === 0) break;
    rows = [
      ...(await plan.restOfGroups(lowered)),
      ...(await plan.restOfRequests()),
      ...(await commitsBehind(parts.database, plan.cuts())),
    ];
  }
  return plan.cuts();
}

class CutPlan {
  readonly #parts: CutPlanParts;
  readonly #cuts = new Map<PartitionSlot, Cut>();

  constructor(parts: CutPlanParts) {
    this.#parts = parts;
  }

  cuts(): readonly Cut[] {
    return [...this.#cuts.values()].sort(
      (a, b) => a.topicNumber - b.topicNumber || a.partition - b.partition,
    );
  }

  /** Cuts before these rows; returns what is cut now and was not before. */
  async lower(rows: readonly Extent[]): Promise<readonly OffsetRange[]> {
    await this.#meet(rows);
    const lowered: OffsetRange[] = [];
    for (const { topicNumber, partition, baseOffset } of rows) {
      const slot = partitionSlot(topicNumber, partition);
      const cut = this.#cuts.get(slot);
      if (cut === undefined || cut.offset <= baseOffset) continue;
      this.#cuts.set(slot, { ...cut, offset: baseOffset });
      lowered.push({ topicNumber, partition, from: baseOffset, before: cut.offset });
    }
    return lowered;
  }

  /** The rows of groups that lose an entry in these ranges. */
  async restOfGroups(ranges: readonly OffsetRange[]): Promise<readonly Extent[]> {
    const { database } = this.#parts;
    const bytes: ObjectBytes[] = [];
    const unread = new Set<number>();
    const met = await groupedExtents(database, ranges);
    for (const rows of Map.groupBy(met, ({ publishPosition }) => publishPosition).values()) {
      const [first] = rows;
      assert(first !== undefined, "a publish with rows");
      const footer = await this.#footerOf(first);
      // Without a footer nobody can tell its groups apart: the publish falls as one.
      if (footer === undefined) unread.add(first.publishPosition);
      else bytes.push(...groupBytes(rows, footer));
    }
    const whole = await bytesOfPublishes(database, [...unread]);
    return extentsIn(database, [...bytes, ...whole]);
  }

  /** The rows of an HTTP producer's requests from the first that is cut on. */
  async restOfRequests(): Promise<readonly Extent[]> {
    const { database } = this.#parts;
    const places = [];
    for (const { topicNumber, requests } of await cutHttpProducers(database, this.cuts())) {
      const isCut = ({ partition, offset }: { partition: number; offset: number }) => {
        const cut = this.#cuts.get(partitionSlot(topicNumber, partition));
        return cut !== undefined && offset >= cut.offset;
      };
      const oldest = requests.findLastIndex((request) => request.some(isCut));
      for (const request of requests.slice(0, oldest + 1)) {
        for (const place of request) if (!isCut(place)) places.push({ topicNumber, ...place });
      }
    }
    return extentsAt(database, places);
  }

  /** Notes the ends of partitions met for the first time, before any of their rows are counted. */
  async #meet(rows: readonly PartitionRef[]): Promise<void> {
    const fresh = new Map<PartitionSlot, PartitionRef>();
    for (const { topicNumber, partition } of rows) {
      const slot = partitionSlot(topicNumber, partition);
      if (!this.#cuts.has(slot)) fresh.set(slot, { topicNumber, partition });
    }
    for (const state of await partitionStates(this.#parts.database, [...fresh.values()])) {
      const { topicNumber, partition, nextOffset, leaderEpoch } = state;
      const offset = Number.MAX_SAFE_INTEGER;
      const slot = partitionSlot(topicNumber, partition);
      this.#cuts.set(slot, { topicNumber, partition, offset, nextOffset, leaderEpoch });
    }
  }

  async #footerOf({ key, workerEpoch, segment }: GroupedExtent) {
    if (segment === null) return undefined;
    const { store, platform } = this.#parts;
    const { position, length } = segment;
    const findings = scanSegments({
      read: (range) => store.read({ key, ...range, position: position + range.position }),
      sizeBytes: length,
      crc32c: platform.crc32c,
      workerEpoch,
      checkBodies: false,
    });
    try {
      for await (const finding of findings) {
        if (finding.kind === "segment") return { footer: finding.footer, position };
      }
    } catch (error) {
      if (!isStreamError(error, "object_missing") && !isStreamError(error, "corrupt_segment")) {
        throw error;
      }
    }
    return undefined;
  }
}

/** The bytes of all entries of those groups that have an entry in one of these rows. */
function groupBytes(
  rows: readonly GroupedExtent[],
  { footer, position }: { readonly footer: SegmentFooter; readonly position: number },
): ObjectBytes[] {
  const entries = footer.entries.filter(({ groupIndex }) => groupIndex >= 0);
  const touched = new Set<number>();
  for (const entry of entries) {
    const start = position + entry.position;
    const end = start + entry.length;
    const isIn = (row: GroupedExtent) => start < row.position + row.length && end > row.position;
    if (rows.some(isIn)) touched.add(entry.groupIndex);
  }
  const objectId = rows[0]?.objectId ?? -1;
  return entries
    .filter(({ groupIndex }) => touched.has(groupIndex))
    .map((entry) => {
      const start = position + entry.position;
      return { objectId, start, end: start + entry.length };
    });
}
