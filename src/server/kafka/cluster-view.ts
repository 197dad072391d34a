import type { WorkerAddress } from "../../group/group-store.ts";
import { rendezvous } from "../../log/leader.ts";
import type { Cluster, ClusterNode, LogService } from "../../log/log-types.ts";

/** The cluster as the clients of a connection see it: names and addresses that they can reach. */
export interface ClusterView extends Pick<LogService, "cluster" | "leaderOf"> {
  /** What a client is told of a worker. */
  placeOf(worker: WorkerAddress): WorkerAddress;
}

/**
 * All workers that listen for Kafka, one broker for each address by which they are known. Workers
 * that advertise one address, as of a balancer, are one broker with the least of their node ids: to
 * a client a broker is its address. librdkafka, told of two at one, gives the second's id to its
 * connection to the first, and then waits for the leader of what the first leads.
 */
export function wholeCluster(log: LogService): ClusterView {
  let seen: Cluster | undefined;
  let shown: Brokers | undefined;
  // Metadata asks once per partition, and the log gives the same object until something changes.
  const brokers = (): Brokers => {
    const cluster = log.cluster();
    if (shown === undefined || seen !== cluster) shown = brokersOf(cluster);
    seen = cluster;
    return shown;
  };
  return {
    cluster: () => brokers().cluster,
    leaderOf: (topicId, partition) => {
      const { cluster, ids } = brokers();
      const leader = ids.get(log.leaderOf(topicId, partition));
      return leader ?? rendezvous(`${topicId}/${partition}`, cluster.nodes);
    },
    placeOf: (worker) => placeAmong(brokers(), worker),
  };
}

interface Brokers {
  readonly cluster: Cluster;
  /** Brokers by the node ids of the workers for which they stand; others have none. */
  readonly ids: ReadonlyMap<number, number>;
  readonly byAddress: ReadonlyMap<string, ClusterNode>;
}

function brokersOf(cluster: Cluster): Brokers {
  const byAddress = new Map<string, ClusterNode>();
  const ids = new Map<number, number>();
  for (const node of cluster.nodes.toSorted((one, other) => one.nodeId - other.nodeId)) {
    if (node.kafkaHost === "") continue;
    const address = addressText(node.kafkaHost, node.kafkaPort);
    const broker = byAddress.get(address) ?? node;
    byAddress.set(address, broker);
    ids.set(node.nodeId, broker.nodeId);
  }
  const { selfNodeId } = cluster;
  const nodes = [...byAddress.values()];
  return {
    cluster: { ...cluster, nodes, selfNodeId: ids.get(selfNodeId) ?? selfNodeId },
    ids,
    byAddress,
  };
}

/** One that does not listen for Kafka is asked by the worker that the client came to. */
function placeAmong({ cluster, byAddress }: Brokers, worker: WorkerAddress): WorkerAddress {
  const { host, port } = worker;
  if (host !== "") {
    return { nodeId: byAddress.get(addressText(host, port))?.nodeId ?? worker.nodeId, host, port };
  }
  const self = cluster.nodes.find(({ nodeId }) => nodeId === cluster.selfNodeId);
  if (self === undefined) return worker;
  return { nodeId: self.nodeId, host: self.kafkaHost, port: self.kafkaPort };
}

function addressText(host: string, port: number): string {
  return `${host}:${port}`;
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
