/**
 * What is remembered of sequential readers: where in an object the offset lies at which a reader
 * stopped, and up to which offset blocks were asked for ahead of it. A hint may be missing or out
 * of date; it only says where to look first.
 */
import type { Extent } from "../meta/log-index.ts";
import type { ObjectRange } from "./block-cache.ts";
import { partitionSlot } from "./partition-slot.ts";

/** One per active reader and partition. */
const hintsMax = 10_000;

/**
 * How far ahead of a reader blocks are fetched, in bytes of its partition; more is asked for when
 * half of that is left, so that neighbours come together.
 */
const readAheadBytes = 4 * 1024 * 1024;

/** Segments are padded to this, so an object reaches at least to the next multiple. */
const segmentAlignmentBytes = 4096;

export interface ReadPlace {
  readonly topicNumber: number;
  readonly partition: number;
  readonly offset: number;
}

interface Hint {
  readonly key: string;
  readonly position: number;
  /** Extents that begin below were asked for. */
  aheadTo: number;
}

/** What to fetch ahead of a reader. */
export interface AheadPlan {
  readonly ranges: readonly ObjectRange[];
  /** All of it is on its way. */
  accept(): void;
}

export class ReadHints {
  readonly #hints = new Map<string, Hint>();

  /** Where in `extent` the batch of the offset begins, if a reader stopped there. */
  positionIn(extent: Extent, place: ReadPlace): number | undefined {
    const hint = this.#hints.get(nameOf(place));
    if (hint === undefined || hint.key !== extent.key) return undefined;
    const { position } = hint;
    const isInside = position >= extent.position && position < extent.position + extent.length;
    return isInside ? position : undefined;
  }

  /** A reader that came from `before` goes on at `offset`, which begins here. */
  stoppedAt(
    before: ReadPlace,
    next: { readonly offset: number; readonly key: string; readonly position: number },
  ): void {
    const { key, position, offset } = next;
    const aheadTo = this.#hints.get(nameOf(before))?.aheadTo ?? 0;
    this.#set(nameOf({ ...before, offset }), { key, position, aheadTo });
  }

  /**
   * What a reader that is about to read `bytesMax` will want, if it is a sequential one: it stopped
   * here before, or begins with an extent.
   */
  plan(place: ReadPlace & { bytesMax: number }, extents: readonly Extent[]): AheadPlan | undefined {
    const [first] = extents;
    if (first === undefined) return undefined;
    const name = nameOf(place);
    let hint = this.#hints.get(name);
    if (hint === undefined) {
      if (first.baseOffset !== place.offset) return undefined;
      hint = { key: first.key, position: first.position, aheadTo: 0 };
      this.#set(name, hint);
    }
    const bytesMax = place.bytesMax + readAheadBytes;
    const { aheadTo } = hint;
    let bytes = 0;
    let index = 0;
    for (; index < extents.length && bytes < bytesMax; index++) {
      const extent = extents[index] as Extent;
      if (extent.baseOffset >= aheadTo) break;
      bytes += extent.length;
    }
    if (bytes >= bytesMax - readAheadBytes / 2) return undefined;
    const ranges: ObjectRange[] = [];
    let to = aheadTo;
    for (; index < extents.length && bytes < bytesMax; index++) {
      const extent = extents[index] as Extent;
      const { key, position } = extent;
      const length = Math.min(extent.length, bytesMax - bytes);
      ranges.push({ key, position, length, knownEnd: knownEnd(extents, index) });
      bytes += extent.length;
      to = extent.baseOffset + 1;
    }
    const planned = hint;
    return {
      ranges,
      accept: () => {
        planned.aheadTo = to;
      },
    };
  }

  #set(name: string, hint: Hint): void {
    this.#hints.delete(name);
    this.#hints.set(name, hint);
    if (this.#hints.size <= hintsMax) return;
    for (const oldest of this.#hints.keys()) {
      this.#hints.delete(oldest);
      return;
    }
  }
}

/** How far the object surely reaches: the end of the last segment of it that we know of. */
export function knownEnd(extents: readonly Extent[], index: number): number {
  const { key } = extents[index] as Extent;
  let end = 0;
  for (let next = index; next < Math.min(index + 32, extents.length); next++) {
    const extent = extents[next] as Extent;
    if (extent.key !== key) break;
    end = Math.max(end, extent.position + extent.length);
  }
  return paddedEnd(end);
}

/** Where a segment ends that reaches at least to `end`. */
export function paddedEnd(end: number): number {
  return Math.ceil(end / segmentAlignmentBytes) * segmentAlignmentBytes;
}

function nameOf({ topicNumber, partition, offset }: ReadPlace): string {
  return `${partitionSlot(topicNumber, partition)}:${offset}`;
}
