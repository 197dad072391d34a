/**
 * After a power loss with fsync off, the metadata may name bytes that never reached the disk. The
 * files of epochs that did not leave properly are looked through; index rows without their bytes
 * are cut, with what cannot stand without them (cut-plan.ts) and a raised leader epoch, and
 * reported. Nothing is served that is not stored.
 */
import { StreamError } from "../base/stream-error.ts";
import { applyCuts, type Cut, type ObjectBytes } from "../meta/cut.ts";
import { type LiveObject, liveObjectsOf } from "../meta/object-index.ts";
import { scanSegments } from "../segment/scan.ts";
import { type CutPlanParts, planCuts } from "./cut-plan.ts";

/** What was cut from one partition. */
export interface CutPartition {
  readonly topicNumber: number;
  readonly partition: number;
  readonly offset: number;
  /** Up to the end as it was planned; what peers appended since went too. */
  readonly lostCount: number;
  readonly leaderEpoch: number;
}

/** A plan that peers' groups overtake is made anew; so often at most before it is given up. */
const plansMax = 100;

/**
 * Checks the objects of an ended epoch and cuts what is lost. Of its last file every batch is read,
 * being what a power loss takes first; of the others headers and footers. A gap in a file is no
 * loss by itself: a write that failed leaves one to which no index row points.
 */
export async function cutLostBytes(
  parts: CutPlanParts,
  workerEpoch: number,
): Promise<readonly CutPartition[]> {
  const objects = await liveObjectsOf(parts.database, workerEpoch);
  const gaps: ObjectBytes[] = [];
  for (const object of objects) {
    const checkBodies = object === objects.at(-1);
    // What is found whole stays so: the process that died may have left it in the page cache, and
    // once its epoch is closed nobody looks at it again.
    await parts.store.settle?.(object.key);
    gaps.push(...(await gapsOf(parts, object, checkBodies)));
  }
  if (gaps.length === 0) return [];
  for (let attempt = 0; attempt < plansMax; attempt++) {
    const cuts = await planCuts(parts, gaps);
    if (await applyCuts(parts.database, cuts)) return cuts.map((cut) => reported(parts, cut));
  }
  throw new StreamError(
    "metadata_unavailable",
    "Cannot cut what a power loss took: the partitions grow faster than the cut is planned; " +
      "it will be tried again",
  );
}

function reported({ platform }: CutPlanParts, cut: Cut): CutPartition {
  const { topicNumber, partition, offset, nextOffset } = cut;
  const lostCount = nextOffset - offset;
  const done = { topicNumber, partition, offset, lostCount, leaderEpoch: cut.leaderEpoch + 1 };
  platform.log.error("records lost with the power: cut", { ...done });
  return done;
}

/** Where the object holds no whole segments, up to its published end. */
async function gapsOf(
  { store, platform }: CutPlanParts,
  object: LiveObject,
  checkBodies: boolean,
): Promise<readonly ObjectBytes[]> {
  const { objectId, key, workerEpoch } = object;
  const sizeBytes = Math.min((await store.sizeOf(key)) ?? 0, object.sizeBytes);
  const gaps: ObjectBytes[] = [];
  const findings = scanSegments({
    read: (range) => store.read({ key, ...range }),
    sizeBytes,
    crc32c: platform.crc32c,
    workerEpoch,
    checkBodies,
  });
  for await (const finding of findings) {
    if (finding.kind !== "gap") continue;
    const { position: start, length } = finding;
    gaps.push({ objectId, start, end: start + length });
  }
  if (sizeBytes < object.sizeBytes) {
    gaps.push({ objectId, start: sizeBytes, end: object.sizeBytes });
  }
  return gaps;
}
