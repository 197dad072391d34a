import type { Cluster } from "../../log/log-types.ts";

/** The worker that tools shall ask for changes: any can make them, so the one with the least id. */
export function controllerIdOf({ nodes }: Cluster): number {
  return nodes.reduce((least, { nodeId }) => (least < 0 ? nodeId : Math.min(least, nodeId)), -1);
}
