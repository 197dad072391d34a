import { assert } from "../base/assert.ts";
import type { Platform, TimerHandle } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import { ClassicGroup } from "./classic-group.ts";
import type { GroupContext, GroupSettings } from "./group-context.ts";
import type { GroupGuard, GroupStore } from "./group-store.ts";
import { GroupWriter } from "./group-writer.ts";
import { latenessMsMax } from "./limits.ts";
import { offsetExpiry } from "./offsets.ts";
import { expireDue, nextDeadline, restartDeadlines } from "./rebalance.ts";
import { restoreGroup } from "./snapshot.ts";

export interface GroupRunnerOptions {
  readonly platform: Platform;
  readonly settings: GroupSettings;
  readonly store: GroupStore;
  readonly guard: GroupGuard;
  /** Told once when the runner lets its group go by itself. */
  readonly onDrop: () => void;
}

/** One group that this worker leads: its state, its one timer, its writes under its lease. */
export class GroupRunner {
  readonly guard: GroupGuard;
  readonly writer: GroupWriter;
  readonly #platform: Platform;
  readonly #context: GroupContext;
  readonly #onDrop: () => void;
  #group: ClassicGroup;
  #timer: { readonly at: number; readonly handle: TimerHandle } | null = null;
  #droppedBy: StreamError | null = null;
  #usedAt: number;

  /** `loaded` is what the store has of the group. */
  constructor(
    options: GroupRunnerOptions,
    loaded: { readonly snapshot: string | null; readonly hasOffsets: boolean },
  ) {
    const { platform, guard } = options;
    this.guard = guard;
    this.#platform = platform;
    this.#onDrop = options.onDrop;
    this.#usedAt = platform.clock.monotonic();
    this.writer = new GroupWriter(options.store, guard, (error) => this.drop(error));
    this.#context = {
      clock: platform.clock,
      random: platform.random,
      log: platform.log,
      settings: options.settings,
      persist: (snapshot, done) => {
        this.#group.stored = true;
        const written = this.writer.run((store) => store.saveSnapshot(guard, snapshot));
        this.#supervise(written, done);
      },
    };
    this.#group = this.#restore(loaded.snapshot);
    this.#group.stored = loaded.snapshot !== null || loaded.hasOffsets;
    this.#arm();
  }

  get group(): ClassicGroup {
    return this.#group;
  }

  /** Monotonic time of the last request. */
  get usedAt(): number {
    return this.#usedAt;
  }

  /** Nothing would be lost by letting the group go: all there is of it is in the store. */
  get isIdle(): boolean {
    const { state, pendingJoins } = this.#group;
    return state === "Empty" && pendingJoins.size === 0 && this.writer.isIdle;
  }

  /** Runs a transition that may change deadlines. Throws what it throws, or why we let go. */
  step<T>(transition: (group: ClassicGroup, context: GroupContext) => T): T {
    try {
      return this.glance(transition);
    } finally {
      this.#arm();
    }
  }

  /** Runs one that at most moves a member's deadline on: the timer may stay where it is. */
  glance<T>(transition: (group: ClassicGroup, context: GroupContext) => T): T {
    if (this.#droppedBy !== null) throw this.#droppedBy;
    this.#usedAt = this.#platform.clock.monotonic();
    return transition(this.#group, this.#context);
  }

  /** Lets the group go: everybody who waits gets `error`, and so does whoever still comes. */
  drop(error: StreamError): void {
    if (this.#droppedBy !== null) return;
    this.#droppedBy = error;
    this.#timer?.handle.cancel();
    this.#timer = null;
    this.writer.close(error);
    this.#group.transition("Dead", this.#platform.clock.now());
    for (const member of this.#group.members()) {
      this.#group.failJoin(member, error);
      this.#group.failSync(member, error);
    }
    this.#onDrop();
  }

  /** Deletes an Empty group with its offsets. Who joins meanwhile joins a new one. */
  async delete(): Promise<void> {
    this.#forget();
    await this.#deleted(this.writer.run((store, guard) => store.deleteGroup(guard)));
  }

  /** Deletes offsets that are too old, and the group when it has nothing left. Returns how many. */
  expireOffsets(retentionMs: number): Promise<number> {
    return this.writer.run((store, guard) => this.#expire(store, guard, retentionMs));
  }

  async #expire(store: GroupStore, guard: GroupGuard, retentionMs: number): Promise<number> {
    const offsets = await store.fetchOffsets(guard, null);
    const isExpired = offsetExpiry(this.#group, this.#platform.clock.now(), retentionMs);
    const expired = isExpired === null ? [] : offsets.filter(isExpired);
    if (expired.length > 0) await store.deleteOffsets(guard, expired);
    const { state, pendingJoins } = this.#group;
    const isOver = state === "Empty" && pendingJoins.size === 0 && this.writer.isLast;
    if (isOver && expired.length === offsets.length) {
      this.#forget();
      await this.#deleted(store.deleteGroup(guard));
    }
    return expired.length;
  }

  /** After a delete of which we do not know whether it happened, the store has to be asked. */
  async #deleted(deletion: Promise<void>): Promise<void> {
    try {
      await deletion;
    } catch (cause) {
      const { groupId } = this.guard;
      const message = `Cannot tell what is left of group "${groupId}": ask again`;
      this.drop(new StreamError("coordinator_unavailable", message, { cause }));
      throw cause;
    }
  }

  #forget(): void {
    assert(this.#group.state === "Empty", "only an Empty group is deleted");
    this.#group = new ClassicGroup(this.guard.groupId, this.#platform.clock.now());
    this.#arm();
  }

  #restore(snapshot: string | null): ClassicGroup {
    const { groupId } = this.guard;
    if (snapshot === null) return new ClassicGroup(groupId, this.#platform.clock.now());
    return restoreGroup(groupId, snapshot, this.#context);
  }

  #supervise(written: Promise<void>, done: (error: StreamError | null) => void): void {
    const settle = (error: StreamError | null) => {
      if (this.#droppedBy !== null) return;
      done(error);
      this.#arm();
    };
    written
      .then(
        () => settle(null),
        (error: StreamError) => settle(error),
      )
      .catch((error: unknown) => this.#fail(error));
  }

  /** A broken invariant costs one group's memory, not the worker: the store has what was stable. */
  #fail(cause: unknown): void {
    const { groupId } = this.guard;
    this.#platform.log.error("Let a group go", { group: groupId, error: cause });
    const message = `Lost track of group "${groupId}": ask again`;
    this.drop(new StreamError("coordinator_unavailable", message, { cause }));
  }

  /** One timer at the earliest deadline. One that is set too early finds nothing and sets again. */
  #arm(): void {
    if (this.#droppedBy !== null) return;
    const at = nextDeadline(this.#group);
    if (this.#timer !== null) {
      if (at !== null && this.#timer.at <= at) return;
      this.#timer.handle.cancel();
      this.#timer = null;
    }
    if (at === null) return;
    const delayMs = Math.max(0, at - this.#platform.clock.monotonic());
    const handle = this.#platform.timers.after(delayMs, () => this.#wake(at));
    this.#timer = { at, handle };
  }

  #wake(at: number): void {
    this.#timer = null;
    const latenessMs = this.#platform.clock.monotonic() - at;
    try {
      if (latenessMs > latenessMsMax) restartDeadlines(this.#group, this.#context);
      expireDue(this.#group, this.#context);
      this.#arm();
    } catch (error) {
      this.#fail(error);
    }
  }
}
