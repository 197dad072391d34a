/**
 * Which worker Metadata names as a partition's leader. Any worker serves any partition; this is
 * advice for locality, by rendezvous hashing, so that a worker's coming or going moves only its own
 * share.
 */
import type { ClusterNode } from "./log-types.ts";

/** The node with the greatest weight for `name`; -1 when there are none. */
export function rendezvous(name: string, nodes: readonly Pick<ClusterNode, "nodeId">[]): number {
  let best = -1;
  let bestWeight = -1;
  for (const { nodeId } of nodes) {
    const weight = mix(hash(`${name}#${nodeId}`));
    if (weight > bestWeight || (weight === bestWeight && nodeId < best)) {
      best = nodeId;
      bestWeight = weight;
    }
  }
  return best;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}

/** Finalizer of MurmurHash3: FNV's last characters move its high bits too little. */
function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
