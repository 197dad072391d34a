/** Where to begin reading inside an entry: the last indexed batch that cannot be too late. */
import type { IndexPoint, SegmentEntry } from "./segment.ts";

/** The last point at or before the entry's record number `recordIndex` (from 0). */
export function pointAtRecord(entry: SegmentEntry, recordIndex: number): IndexPoint {
  let found: IndexPoint = { recordsBefore: 0, position: entry.position, maxTimestampBefore: -1 };
  let low = 0;
  let high = entry.points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const point = entry.points[middle];
    if (point === undefined) break;
    if (point.recordsBefore <= recordIndex) {
      found = point;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return found;
}
