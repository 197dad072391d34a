/**
 * Which worker runs a query (docs/adr/0013). Each has one that it prefers, by rendezvous hashing
 * over the live workers, so that they spread and a worker's coming or going moves only its share.
 * This decides who tries; that only one runs it is the lease's business.
 */
import type { Clock } from "../base/platform.ts";
import { rendezvous } from "../log/leader.ts";
import type { Cluster } from "../log/log-types.ts";

/** So long a free query waits for the worker that it prefers; then any takes it. */
const graceMs = 3_000;
/** So long must a worker have been preferred before a running query moves there. */
const settledMs = 10_000;

interface Preference {
  readonly nodeId: number;
  readonly since: number;
}

export class QueryPlacement {
  readonly #clock: Pick<Clock, "monotonic">;
  /** When a query was first seen free. */
  readonly #freeSince = new Map<string, number>();
  readonly #wishes = new Map<string, Preference>();
  /** To whom queries were handed that are here again: no such worker gets them another time. */
  readonly #given = new Map<string, number>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Those of the free queries that this worker is to take now. */
  toTake(free: readonly string[], { nodes, selfNodeId }: Cluster): string[] {
    const now = this.#clock.monotonic();
    const isFree = new Set(free);
    for (const queryId of this.#freeSince.keys()) {
      if (!isFree.has(queryId)) this.#freeSince.delete(queryId);
    }
    return free.filter((queryId) => {
      const since = this.#freeSince.get(queryId) ?? now;
      this.#freeSince.set(queryId, since);
      return preferredOf(queryId, nodes, selfNodeId) === selfNodeId || now - since >= graceMs;
    });
  }

  /** One that runs here and prefers another worker, which has been there for a while. */
  toHandOver(own: readonly string[], { nodes, selfNodeId }: Cluster): string | undefined {
    const now = this.#clock.monotonic();
    this.#forget(own, nodes);
    for (const queryId of own) {
      const nodeId = preferredOf(queryId, nodes, selfNodeId);
      if (nodeId === selfNodeId || this.#given.get(queryId) === nodeId) {
        this.#wishes.delete(queryId);
        continue;
      }
      const wish = this.#wishes.get(queryId);
      if (wish?.nodeId !== nodeId) {
        this.#wishes.set(queryId, { nodeId, since: now });
      } else if (now - wish.since >= settledMs) {
        this.#wishes.delete(queryId);
        this.#given.set(queryId, nodeId);
        return queryId;
      }
    }
    return undefined;
  }

  #forget(own: readonly string[], nodes: Cluster["nodes"]): void {
    const isOwn = new Set(own);
    for (const queryId of this.#wishes.keys()) {
      if (!isOwn.has(queryId)) this.#wishes.delete(queryId);
    }
    const live = new Set(nodes.map(({ nodeId }) => nodeId));
    for (const [queryId, nodeId] of this.#given) {
      if (!live.has(nodeId)) this.#given.delete(queryId);
    }
  }
}

function preferredOf(queryId: string, nodes: Cluster["nodes"], selfNodeId: number): number {
  return nodes.length === 0 ? selfNodeId : rendezvous(`query/${queryId}`, nodes);
}
