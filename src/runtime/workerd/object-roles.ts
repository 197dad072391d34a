/**
 * What memory an object takes. Several objects may live in one isolate and share its 128 MB, of
 * which the code with its heap takes some 20.
 */
export interface ObjectRole {
  /** A segment of this size is full; six of them are the ring. */
  readonly flushBytes: number;
  /** Parts of segments that were read back. */
  readonly blockBytes: number;
  /** Requests under way, and answers, each. */
  readonly budgetBytes: number;
  /** Others always publish what it must see, and change topics. */
  readonly hasPeers: boolean;
  /** Where the settings let queries run: `rings` has their objects run them, `runs` is one. */
  readonly queries: "none" | "rings" | "runs";
}

const MiB = 1024 * 1024;

/** Appends and reads. */
export const logRole: ObjectRole = {
  flushBytes: 4 * MiB,
  blockBytes: 8 * MiB,
  budgetBytes: 16 * MiB,
  hasPeers: false,
  queries: "rings",
};

/** Coordinates a group; there may be many. */
export const groupRole: ObjectRole = {
  flushBytes: MiB / 4,
  blockBytes: MiB,
  budgetBytes: 2 * MiB,
  hasPeers: true,
  queries: "none",
};

/** Runs a query; beside it other objects of the isolate run theirs. */
export const queryRole: ObjectRole = {
  flushBytes: MiB,
  blockBytes: 4 * MiB,
  budgetBytes: 4 * MiB,
  hasPeers: true,
  queries: "runs",
};

/** An object looks for what no bell told it of after so long: a query's by its alarm. */
export const watchMs = 30_000;
