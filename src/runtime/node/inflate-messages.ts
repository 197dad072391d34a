/** What a worker's event loop and the thread that decompresses say to each other. */
import type { SharedNews, SharedPlace } from "./shared-names.ts";

export interface InflateRequest {
  readonly shared: SharedNews;
  readonly chunks: readonly SharedPlace[];
  readonly bytesMax: number;
  /** Where the result goes if it fits. */
  readonly target: SharedPlace;
}

export interface InflateAnswer {
  /** Bytes of the result; null: it could not be, and whoever reads the batches finds out why. */
  readonly length: number | null;
  /** The result where it did not fit, in shared memory. */
  readonly elsewhere: Uint8Array | null;
}
