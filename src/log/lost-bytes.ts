/**
 * After a power loss with fsync off, the metadata may name bytes that never reached the disk. At
 * start, the files of epochs that did not leave properly are looked through; index rows without
 * their bytes are cut, with a raised leader epoch, and reported. Nothing is served that is not
 * stored.
 */
import type { Platform } from "../base/platform.ts";
import { isStreamError } from "../base/stream-error.ts";
import type { Extent, PartitionRef } from "../meta/log-index.ts";
import { extentsBeyond, type LiveObject, liveObjects } from "../meta/object-index.ts";
import { cutLost } from "../meta/release.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { scanSegments } from "../segment/scan.ts";
import type { ObjectStore } from "../store/object-store.ts";

export interface LostBytesParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly store: ObjectStore;
}

/** What was cut from one partition. */
export interface CutPartition {
  readonly topicNumber: number;
  readonly partition: number;
  readonly offset: number;
  readonly lostCount: number;
  readonly leaderEpoch: number;
}

const pageObjects = 1000;

/** Bytes of an object that hold no whole segment. */
interface Gap {
  readonly objectId: number;
  readonly validBytes: number;
  readonly gapEnd: number;
}

/**
 * Checks the objects of these ended epochs and cuts what is lost. Of each epoch's last file every
 * batch is read, being what a power loss takes first; of the others headers and footers. A gap in a
 * file is no loss by itself: a write that failed leaves one to which no index row points.
 */
export async function cutLostBytes(
  parts: LostBytesParts,
  workerEpochs: readonly number[],
): Promise<readonly CutPartition[]> {
  const objects = await objectsOf(parts.database, new Set(workerEpochs));
  const lastOfEpoch = new Map(objects.map((object) => [object.workerEpoch, object.objectId]));
  const gaps: Gap[] = [];
  for (const object of objects) {
    const checkBodies = lastOfEpoch.get(object.workerEpoch) === object.objectId;
    // What is found whole stays so: the process that died may have left it in the page cache, and
    // once its epoch is closed nobody looks at it again.
    await parts.store.settle?.(object.key);
    gaps.push(...(await gapsOf(parts, object, checkBodies)));
  }
  const cuts: CutPartition[] = [];
  for (const extent of firstOfPartitions(await extentsBeyond(parts.database, gaps))) {
    const { topicNumber, partition, baseOffset: offset } = extent;
    const lost = await cutExisting(parts.database, { topicNumber, partition, offset });
    if (lost === undefined) continue;
    const { lostCount, leaderEpoch } = lost;
    const cut = { topicNumber, partition, offset, lostCount, leaderEpoch };
    parts.platform.log.error("records lost with the power: cut", { ...cut });
    cuts.push(cut);
  }
  return cuts;
}

/** Undefined for a deleted topic's partition: nobody reads its rows, and they go by themselves. */
async function cutExisting(database: SqlDatabase, where: PartitionRef & { offset: number }) {
  try {
    return await cutLost(database, where);
  } catch (error) {
    if (isStreamError(error, "partition_unknown")) return undefined;
    throw error;
  }
}

async function objectsOf(
  database: SqlDatabase,
  workerEpochs: ReadonlySet<number>,
): Promise<readonly LiveObject[]> {
  const found: LiveObject[] = [];
  let afterObjectId = 0;
  for (;;) {
    const page = await liveObjects(database, { afterObjectId, limit: pageObjects });
    found.push(...page.filter((object) => workerEpochs.has(object.workerEpoch)));
    const last = page[page.length - 1];
    if (last === undefined || page.length < pageObjects) return found;
    afterObjectId = last.objectId;
  }
}

/** Where the object holds no whole segments, up to its published end. */
async function gapsOf(
  { store, platform }: LostBytesParts,
  object: LiveObject,
  checkBodies: boolean,
): Promise<readonly Gap[]> {
  const { objectId, key, workerEpoch } = object;
  const sizeBytes = Math.min((await store.sizeOf(key)) ?? 0, object.sizeBytes);
  const gaps: Gap[] = [];
  const findings = scanSegments({
    read: (range) => store.read({ key, ...range }),
    sizeBytes,
    crc32c: platform.crc32c,
    workerEpoch,
    checkBodies,
  });
  for await (const finding of findings) {
    if (finding.kind !== "gap") continue;
    const { position: validBytes, length } = finding;
    gaps.push({ objectId, validBytes, gapEnd: validBytes + length });
  }
  if (sizeBytes < object.sizeBytes) {
    gaps.push({ objectId, validBytes: sizeBytes, gapEnd: object.sizeBytes });
  }
  return gaps;
}

/** The extents come by partition and offset; the first of each is where to cut. */
function firstOfPartitions(extents: readonly Extent[]): Extent[] {
  return extents.filter((extent, index) => {
    const previous = extents[index - 1];
    return previous?.topicNumber !== extent.topicNumber || previous.partition !== extent.partition;
  });
}
