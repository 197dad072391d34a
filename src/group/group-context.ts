import type { Logger } from "../base/log.ts";
import type { Clock, Random } from "../base/platform.ts";
import type { StreamError } from "../base/stream-error.ts";
import type { StoredSnapshot } from "./group-store.ts";
import {
  groupMembersMax,
  initialRebalanceDelayMs,
  newMemberTimeoutMs,
  offsetRetentionMs,
  sessionTimeoutMsMax,
  sessionTimeoutMsMin,
} from "./limits.ts";

/** What an operator may set; see limits.ts for the reasons of the defaults. */
export interface GroupSettings {
  readonly initialRebalanceDelayMs: number;
  readonly newMemberTimeoutMs: number;
  readonly sessionTimeoutMsMin: number;
  readonly sessionTimeoutMsMax: number;
  readonly groupMembersMax: number;
  readonly offsetRetentionMs: number;
}

export const defaultGroupSettings: GroupSettings = {
  initialRebalanceDelayMs,
  newMemberTimeoutMs,
  sessionTimeoutMsMin,
  sessionTimeoutMsMax,
  groupMembersMax,
  offsetRetentionMs,
};

/** What a transition may use besides the group. It sets no timers: it leaves deadlines. */
export interface GroupContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly settings: GroupSettings;
  /**
   * Stores a snapshot after everything asked before. Calls `done` once, later, with the failure or
   * null; never when the group was let go meanwhile, since then nobody waits any more.
   */
  persist(snapshot: StoredSnapshot, done: (error: StreamError | null) => void): void;
}
