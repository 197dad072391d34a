/** A sealed segment on its way: being written, then published, then settled. */
import type { EncodedSegment } from "../segment/encode.ts";
import type { ObjectLocation } from "../store/object-store.ts";
import type { SegmentDraft } from "./segment-draft.ts";
import type { RingSlot } from "./segment-ring.ts";

export interface Flight {
  readonly workerEpoch: number;
  readonly sequence: number;
  readonly draft: SegmentDraft;
  readonly slot: RingSlot;
  /** Entries in the order of `draft.runs`. */
  readonly encoded: EncodedSegment;
  /** Where the store put it; absent until then. */
  location?: ObjectLocation;
  /** The store gave up: the segment is skipped, its appends have been refused. */
  failed: boolean;
}
