/** Who this worker is at the moment: a workerEpoch is never reused, and may be lost to a peer. */
export interface WorkerEpoch {
  readonly workerEpoch: number;
  readonly nodeId: number;
  /** Sequence of the last segment sealed under this epoch; the batcher raises it. */
  lastSequence: number;
}

export interface WorkerIdentity {
  current(): WorkerEpoch;
}
