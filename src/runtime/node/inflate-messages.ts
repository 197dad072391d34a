/** What a worker's event loop and the thread that decompresses say to each other. */
export interface InflateRequest {
  readonly chunks: readonly Uint8Array[];
  readonly bytesMax: number;
  /** Where the result goes if it fits. */
  readonly target: Uint8Array;
}

export interface InflateAnswer {
  /** In shared memory; null: it could not be, and whoever reads the batches finds out why. */
  readonly bytes: Uint8Array | null;
}
