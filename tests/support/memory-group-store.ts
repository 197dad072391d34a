/**
 * The coordinator's two ports over memory: one metadata for several workers, leases and guards as
 * the ports demand. Replies can be delayed, refused before the write or lost after it.
 */
import { present } from "../../src/base/assert.ts";
import type { Platform } from "../../src/base/platform.ts";
import { type ErrorCode, StreamError } from "../../src/base/stream-error.ts";
import type {
  GroupGuard,
  GroupLeases,
  GroupStore,
  StoredOffset,
  StoredSnapshot,
  WorkerAddress,
} from "../../src/group/group-store.ts";
import { offsetKeyText } from "../../src/group/types.ts";

export interface GroupRow {
  leaseEpoch: number;
  holder: number | null;
  snapshot: StoredSnapshot | null;
  readonly offsets: Map<string, StoredOffset>;
}

export type GroupWrite =
  | { readonly guard: GroupGuard; readonly offsets: readonly StoredOffset[] }
  | { readonly guard: GroupGuard; readonly snapshot: StoredSnapshot };

/** What befalls one call: refused before it acts, or its reply lost after it acted. */
export type GroupStoreFault = "none" | "refused" | "lost";

export interface MemoryGroupsOptions {
  readonly platform: Platform;
  readonly delayMs?: () => number;
  readonly fault?: (method: keyof GroupStore | keyof GroupLeases) => GroupStoreFault;
}

export class MemoryGroups {
  readonly rows = new Map<string, GroupRow>();
  readonly topicsGone = new Set<string>();
  /** Every write of offsets and snapshots that happened, in order. */
  readonly writes: GroupWrite[] = [];
  readonly #options: MemoryGroupsOptions;
  readonly #live = new Set<number>();

  constructor(options: MemoryGroupsOptions) {
    this.#options = options;
  }

  /** The offsets of each write of offsets that happened, in order. */
  get commits(): readonly (readonly StoredOffset[])[] {
    return this.writes.flatMap((write) => ("offsets" in write ? [write.offsets] : []));
  }

  /** The ports as a live worker sees them. */
  worker(nodeId: number): { readonly store: GroupStore; readonly leases: GroupLeases } {
    this.#live.add(nodeId);
    return { store: this.#store(nodeId), leases: this.#leases(nodeId) };
  }

  /** Somebody saw the worker stand still and closed its epoch: its leases fall. */
  closeWorker(nodeId: number): void {
    this.#live.delete(nodeId);
    for (const row of this.rows.values()) if (row.holder === nodeId) row.holder = null;
  }

  row(groupId: string): GroupRow {
    let row = this.rows.get(groupId);
    if (row === undefined) {
      row = { leaseEpoch: 0, holder: null, snapshot: null, offsets: new Map() };
      this.rows.set(groupId, row);
    }
    return row;
  }

  #leases(nodeId: number): GroupLeases {
    return {
      locate: (groupId) =>
        this.#call("locate", () => {
          const holder = this.#holder(groupId) ?? Math.min(...this.#live);
          return holder === nodeId
            ? { kind: "self" }
            : { kind: "elsewhere", worker: address(holder) };
        }),
      acquire: (groupId) =>
        this.#call("acquire", () => {
          if (!this.#live.has(nodeId))
            throw new StreamError("worker_fenced", `${nodeId} is closed`);
          const holder = this.#holder(groupId);
          if (holder !== null && holder !== nodeId) {
            return { kind: "elsewhere", worker: address(holder) };
          }
          const row = this.row(groupId);
          if (holder === null) row.leaseEpoch++;
          row.holder = nodeId;
          return { kind: "held", leaseEpoch: row.leaseEpoch };
        }),
      release: (guard) =>
        this.#call("release", () => {
          const row = this.row(guard.groupId);
          if (row.holder === nodeId && row.leaseEpoch === guard.leaseEpoch) row.holder = null;
        }),
    };
  }

  #store(nodeId: number): GroupStore {
    const guarded = <T>(
      method: keyof GroupStore,
      guard: GroupGuard,
      act: (row: GroupRow) => T,
    ): Promise<T> =>
      this.#call(method, () => {
        const row = this.row(guard.groupId);
        if (row.holder !== nodeId || row.leaseEpoch !== guard.leaseEpoch) {
          throw new StreamError("coordinator_elsewhere", `"${guard.groupId}" is led elsewhere`);
        }
        return act(row);
      });
    return {
      load: (guard) =>
        guarded("load", guard, (row) => ({
          snapshot: row.snapshot?.text ?? null,
          hasOffsets: row.offsets.size > 0,
        })),
      saveSnapshot: (guard, snapshot) =>
        guarded("saveSnapshot", guard, (row) => {
          this.writes.push({ guard, snapshot });
          row.snapshot = snapshot;
        }),
      commitOffsets: (guard, offsets) =>
        guarded("commitOffsets", guard, (row) => {
          this.writes.push({ guard, offsets });
          return offsets.map((offset): ErrorCode | null => {
            if (this.topicsGone.has(offset.topicId)) return "topic_unknown";
            row.offsets.set(offsetKeyText(offset), offset);
            return null;
          });
        }),
      fetchOffsets: (guard, partitions) =>
        guarded("fetchOffsets", guard, (row) =>
          (partitions ?? [...row.offsets.values()])
            .map((key) => row.offsets.get(offsetKeyText(key)))
            .filter((offset) => offset !== undefined)
            .filter((offset) => !this.topicsGone.has(offset.topicId)),
        ),
      deleteOffsets: (guard, partitions) =>
        guarded("deleteOffsets", guard, (row) => {
          for (const key of partitions) row.offsets.delete(offsetKeyText(key));
        }),
      deleteGroup: (guard) =>
        guarded("deleteGroup", guard, (row) => {
          row.snapshot = null;
          row.offsets.clear();
        }),
      listGroups: ({ after, limit }) =>
        this.#call("listGroups", () =>
          this.#mine(nodeId, after)
            .slice(0, limit)
            .map((groupId) => ({ groupId, snapshot: this.row(groupId).snapshot })),
        ),
      listExpirable: ({ now, committedBefore, after, limit }) =>
        this.#call("listExpirable", () =>
          this.#mine(nodeId, after)
            .filter((groupId) => {
              const { offsets, snapshot } = this.row(groupId);
              if (offsets.size === 0) return snapshot?.state === "Empty";
              return [...offsets.values()].some(
                ({ committedAt, expiresAt }) =>
                  committedAt <= committedBefore || (expiresAt !== null && expiresAt <= now),
              );
            })
            .slice(0, limit),
        ),
    };
  }

  #holder(groupId: string): number | null {
    const holder = this.row(groupId).holder;
    return holder !== null && this.#live.has(holder) ? holder : null;
  }

  #mine(nodeId: number, after: string): string[] {
    return [...this.rows.keys()]
      .filter((groupId) => groupId > after)
      .filter((groupId) => [null, nodeId].includes(this.#holder(groupId)))
      .filter((groupId) => {
        const row = present(this.rows.get(groupId), "row");
        return row.snapshot !== null || row.offsets.size > 0;
      })
      .sort();
  }

  async #call<T>(method: keyof GroupStore | keyof GroupLeases, act: () => T): Promise<T> {
    const { platform, delayMs, fault } = this.#options;
    const befalls = fault?.(method) ?? "none";
    await platform.timers.sleep((delayMs?.() ?? 0) / 2);
    if (befalls === "refused") throw unavailable(method);
    const result = act();
    await platform.timers.sleep((delayMs?.() ?? 0) / 2);
    if (befalls === "lost") throw unavailable(method);
    return result;
  }
}

function unavailable(method: string): StreamError {
  return new StreamError("metadata_unavailable", `No reply to ${method}`);
}

function address(nodeId: number): WorkerAddress {
  return { nodeId, host: "127.0.0.1", port: 9_092 + nodeId };
}
