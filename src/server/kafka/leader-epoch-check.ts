import type { ErrorCode } from "../../base/stream-error.ts";
import type { LogService } from "../../log/log-types.ts";
import type { TopicInfo } from "../../meta/catalog.ts";

export interface EpochClaim {
  readonly topic: TopicInfo;
  readonly partition: number;
  /** The epoch that the client believes in; −1 when it says none. */
  readonly currentLeaderEpoch: number;
}

/** Judges each claim (KIP-320); those that say nothing cost nothing. */
export async function checkLeaderEpochs(
  claims: readonly EpochClaim[],
  log: LogService,
): Promise<(ErrorCode | null)[]> {
  const stated = claims.filter(({ currentLeaderEpoch }) => currentLeaderEpoch >= 0);
  if (stated.length === 0) return claims.map(() => null);
  const statuses = await log.status(stated);
  let next = 0;
  return claims.map(({ currentLeaderEpoch }) => {
    if (currentLeaderEpoch < 0) return null;
    const status = statuses[next++];
    if (status === undefined) return "partition_unknown";
    if (currentLeaderEpoch < status.leaderEpoch) return "leader_epoch_fenced";
    return currentLeaderEpoch > status.leaderEpoch ? "leader_epoch_unknown" : null;
  });
}
