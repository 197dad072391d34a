import type { WorkerAddress } from "../../group/group-store.ts";
import type { Cluster, LogService } from "../../log/log-types.ts";

/** The cluster as the clients of a connection see it: names and addresses that they can reach. */
export interface ClusterView extends Pick<LogService, "cluster" | "leaderOf"> {
  /** What a client is told of a worker. */
  placeOf(worker: WorkerAddress): WorkerAddress;
}

/** All workers, at the addresses by which they are known. */
export function wholeCluster(log: LogService): ClusterView {
  return {
    cluster: () => log.cluster(),
    leaderOf: (topicId, partition) => log.leaderOf(topicId, partition),
    placeOf: (worker) => worker,
  };
}

/** The same whichever worker is behind the address, so that what clients know of it stays true. */
const onlyNodeId = 0;

/**
 * One broker at `address`, which leads everything: for clients that come through a tunnel, whose
 * other end is the one place that they reach.
 */
export function singleBroker(
  log: LogService,
  address: { readonly host: string; readonly port: number },
): ClusterView {
  const node = { nodeId: onlyNodeId, kafkaHost: address.host, kafkaPort: address.port };
  const cluster = (): Cluster => ({
    clusterId: log.cluster().clusterId,
    selfNodeId: onlyNodeId,
    nodes: [{ ...node, httpUrl: "" }],
  });
  const { host, port } = address;
  return {
    cluster,
    leaderOf: () => onlyNodeId,
    placeOf: () => ({ nodeId: onlyNodeId, host, port }),
  };
}
