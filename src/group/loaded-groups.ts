/**
 * The groups that this worker leads, each opened once: lease, snapshot, then requests. Leases are
 * what decides; this map only remembers them, and forgets a group as soon as the store says that
 * the lease is gone.
 */
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import type { GroupSettings } from "./group-context.ts";
import { GroupRunner } from "./group-runner.ts";
import type { GroupGuard, GroupLeases, GroupStore } from "./group-store.ts";
import { groupsLoadedMax } from "./limits.ts";

export interface LoadedGroupsOptions {
  readonly platform: Platform;
  readonly settings: GroupSettings;
  readonly store: GroupStore;
  readonly leases: GroupLeases;
  /** Default `groupsLoadedMax`. */
  readonly loadedMax?: number;
}

export class LoadedGroups {
  readonly #options: LoadedGroupsOptions;
  readonly #loadedMax: number;
  /** In the order of loading; those found busy when room was needed go to the end. */
  readonly #runners = new Map<string, GroupRunner>();
  readonly #opening = new Map<string, Promise<GroupRunner>>();
  readonly #releasing = new Map<string, Promise<void>>();
  /** Counts fences: what was opened before the last one is not ours. */
  #fenceCount = 0;
  #isClosed = false;

  constructor(options: LoadedGroupsOptions) {
    this.#options = options;
    this.#loadedMax = options.loadedMax ?? groupsLoadedMax;
  }

  get size(): number {
    return this.#runners.size;
  }

  values(): IterableIterator<GroupRunner> {
    return this.#runners.values();
  }

  has(groupId: string): boolean {
    return this.#runners.has(groupId);
  }

  /** The group under our lease. Throws `coordinator_elsewhere` when another worker has it. */
  open(groupId: string): Promise<GroupRunner> {
    if (this.#isClosed) return Promise.reject(shuttingDown());
    const runner = this.#runners.get(groupId);
    if (runner !== undefined) return Promise.resolve(runner);
    const opening = this.#opening.get(groupId);
    if (opening !== undefined) return opening;
    const opened = this.#load(groupId).finally(() => this.#opening.delete(groupId));
    this.#opening.set(groupId, opened);
    return opened;
  }

  /** Gives up idle groups that nobody asked for since `before` (monotonic). */
  async releaseIdle(before: number): Promise<void> {
    const idle = [...this.#runners.values()].filter(
      (runner) => runner.usedAt < before && runner.isIdle,
    );
    await Promise.all(idle.map((runner) => this.#release(runner, idleError(runner.guard))));
  }

  /** This worker's epoch has closed: its leases have fallen, all at once. */
  fence(): void {
    this.#fenceCount++;
    for (const runner of [...this.#runners.values()]) runner.drop(elsewhere(runner.guard.groupId));
  }

  /** Finishes what is being written, sends everybody elsewhere and gives the leases back. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#opening.values());
    const runners = [...this.#runners.values()];
    await Promise.all(
      runners.map(async (runner) => {
        await runner.writer.settled();
        await this.#release(runner, elsewhere(runner.guard.groupId));
      }),
    );
    await Promise.all(this.#releasing.values());
  }

  async #load(groupId: string): Promise<GroupRunner> {
    const { leases, store } = this.#options;
    const fenceCount = this.#fenceCount;
    await this.#releasing.get(groupId);
    this.#makeRoom();
    const lease = await leases.acquire(groupId);
    if (lease.kind === "elsewhere") throw elsewhere(groupId);
    const guard: GroupGuard = { groupId, leaseEpoch: lease.leaseEpoch };
    const loaded = await store.load(guard);
    if (this.#fenceCount !== fenceCount) throw elsewhere(groupId);
    const { platform, settings } = this.#options;
    const runner: GroupRunner = new GroupRunner(
      { platform, settings, store, guard, onDrop: () => this.#forget(runner) },
      loaded,
    );
    this.#runners.set(groupId, runner);
    if (runner.group.memberCount > 0) {
      const members = runner.group.memberCount;
      platform.log.info("Took over a group", { group: groupId, members, ...lease });
    }
    return runner;
  }

  /** Lets the first idle group go. Looks at a bounded number; busy ones go to the end. */
  #makeRoom(): void {
    if (this.#runners.size + this.#opening.size <= this.#loadedMax) return;
    let looked = 0;
    for (const [groupId, runner] of this.#runners) {
      if (runner.isIdle) {
        void this.#release(runner, idleError(runner.guard));
        return;
      }
      this.#runners.delete(groupId);
      this.#runners.set(groupId, runner);
      if (++looked === lookedAtMax) break;
    }
    throw new StreamError(
      "coordinator_unavailable",
      `Cannot lead another group: ${this.#runners.size} are loaded, at most ${this.#loadedMax}`,
    );
  }

  /** Never rejects: a lease that could not be given back falls with this worker's epoch. */
  #release(runner: GroupRunner, error: StreamError): Promise<void> {
    const { groupId } = runner.guard;
    runner.drop(error);
    const { leases, platform } = this.#options;
    const released = leases
      .release(runner.guard)
      .catch((cause: unknown) => {
        platform.log.warn("Cannot give a group's lease back", { group: groupId, error: cause });
      })
      .finally(() => this.#releasing.delete(groupId));
    this.#releasing.set(groupId, released);
    return released;
  }

  #forget(runner: GroupRunner): void {
    const { groupId } = runner.guard;
    if (this.#runners.get(groupId) === runner) this.#runners.delete(groupId);
  }
}

/** Loaded groups that one request may look at to find an idle one. */
const lookedAtMax = 64;

function elsewhere(groupId: string): StreamError {
  return new StreamError(
    "coordinator_elsewhere",
    `Group "${groupId}" is coordinated by another worker: find its coordinator again`,
  );
}

function idleError({ groupId }: GroupGuard): StreamError {
  return new StreamError("coordinator_unavailable", `Group "${groupId}" was let go: ask again`);
}

function shuttingDown(): StreamError {
  return new StreamError("shutting_down", "This worker is shutting down: ask another");
}
