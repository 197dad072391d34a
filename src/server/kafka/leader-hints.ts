import type { TopicId } from "../../record/types.ts";
import type { KafkaContext } from "./context.ts";

/** Who leads a partition now (KIP-951), for a client that asked with an old idea of it. */
export interface LeaderHint {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export interface HintedPartition {
  readonly key: string;
  readonly topicId: TopicId;
  readonly partition: number;
}

/** Hints by key; a partition that is gone has none. Costs nothing for no partitions. */
export async function leaderHints(
  { topics, log, cluster }: KafkaContext,
  partitions: readonly HintedPartition[],
): Promise<ReadonlyMap<string, LeaderHint>> {
  const hints = new Map<string, LeaderHint>();
  for (const { key, topicId, partition } of partitions) {
    const topic = await topics.byId(topicId).catch(() => undefined);
    if (topic === undefined) continue;
    const [status] = await log.status([{ topic, partition }]).catch(() => []);
    if (status === undefined) continue;
    const leaderId = cluster.leaderOf(topicId, partition);
    hints.set(key, { leaderId, leaderEpoch: status.leaderEpoch });
  }
  return hints;
}

/** The addresses of the leaders that hints name. */
export function nodeEndpointsOf(
  { cluster }: KafkaContext,
  hints: ReadonlyMap<string, LeaderHint>,
): { nodeId: number; host: string; port: number; rack: null }[] {
  if (hints.size === 0) return [];
  const named = new Set([...hints.values()].map(({ leaderId }) => leaderId));
  return cluster
    .cluster()
    .nodes.filter(({ nodeId }) => named.has(nodeId))
    .map(({ nodeId, kafkaHost, kafkaPort }) => ({
      nodeId,
      host: kafkaHost,
      port: kafkaPort,
      rack: null,
    }));
}
