/**
 * Members that join, sync, heartbeat, commit, leave, crash and restart at random, over a metadata
 * that is slow, refuses and loses replies, with workers that die and are replaced. Checked:
 *
 * - an assignment is given only to a member that the leader of that generation assigned it to;
 * - under one lease no commit is written after the assignments of a later generation were;
 * - what is read back in the end is the last offset acked, or one tried after it;
 * - when the chaos ends, all alive are in one stable generation that covers each partition once.
 *
 * Every seed runs twice and must take the same course.
 */
import { expect, test } from "bun:test";
import { isStreamError, type StreamError } from "../../../src/base/stream-error.ts";
import { GroupCoordinator } from "../../../src/group/coordinator.ts";
import type { JoinResult } from "../../../src/group/types.ts";
import { joinRequest, offsetOf, textOf } from "../../support/group-fixture.ts";
import { MemoryGroups } from "../../support/memory-group-store.ts";
import {
  createRandom,
  createVirtualPlatform,
  type VirtualPlatform,
} from "../../support/virtual-platform.ts";

const partitionCount = 8;
const chaosMs = 240_000;
const calmMs = 200_000;
/** An offset tells the generation that committed it. */
const generationStep = 1_000_000;
const { MILLRACE_SEEDS: seedsWanted = "25" } = process.env;
const seeds = Number(seedsWanted);

interface Stable {
  readonly generationId: number;
  readonly leaseEpoch: number;
  readonly parts: ReadonlyMap<string, string>;
}

class World {
  readonly platform: VirtualPlatform;
  readonly metadata: MemoryGroups;
  readonly trace: string[] = [];
  /** What leaders assigned, by generation and leader; what members were given. */
  readonly assigned = new Map<string, Map<string, string>>();
  /** Offsets that consumers tried to commit, by partition in order, and how far they were acked. */
  readonly tried = Array.from({ length: partitionCount }, () => [] as number[]);
  readonly ackedCount = Array.from({ length: partitionCount }, () => 0);
  groups: GroupCoordinator;
  isCalm = false;
  readonly #random: ReturnType<typeof createRandom>;
  #nodeId = 1;

  constructor(seed: number) {
    this.platform = createVirtualPlatform({ seed });
    this.#random = createRandom(seed ^ 0x5eed);
    this.metadata = new MemoryGroups({
      platform: this.platform,
      delayMs: () => Math.floor(this.uniform() * (this.isCalm ? 5 : 80)),
      fault: () => {
        if (this.isCalm || !this.chance(0.03)) return "none";
        return this.chance(0.5) ? "refused" : "lost";
      },
    });
    this.groups = this.#start();
  }

  uniform(): number {
    return this.#random.uniform();
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  note(line: string): void {
    this.trace.push(`${this.platform.clock.monotonic()} ${line}`);
  }

  /** The worker dies or is fenced; the next one takes over. Its requests never come back. */
  replaceWorker(): void {
    this.note(`worker ${this.#nodeId} is replaced`);
    const former = this.groups;
    this.metadata.closeWorker(this.#nodeId);
    this.#nodeId++;
    this.groups = this.#start();
    // A paused worker may learn late that it is fenced; until then its guard must hold it back.
    this.platform.timers.after(this.uniform() * 20_000, () => former.fence());
  }

  #start(): GroupCoordinator {
    const ports = this.metadata.worker(this.#nodeId);
    return new GroupCoordinator({ platform: this.platform, ...ports });
  }
}

/** A consumer as clients are: join, sync, heartbeat, commit; whatever fails, join again. */
class Consumer {
  readonly name: string;
  readonly instanceId: string | null;
  readonly #world: World;
  isAlive = true;
  memberId = "";
  stable: { readonly generationId: number; readonly parts: readonly string[] } | null = null;

  constructor(world: World, name: string, instanceId: string | null) {
    this.#world = world;
    this.name = name;
    this.instanceId = instanceId;
  }

  async live(): Promise<void> {
    while (this.isAlive) {
      try {
        const joined = await this.#join();
        await this.#sync(joined);
        await this.#work(joined.generationId);
      } catch (error) {
        if (!isStreamError(error)) throw error;
        this.#recover(error);
      }
      this.stable = null;
      await this.#world.platform.timers.sleep(100);
    }
  }

  async leave(): Promise<void> {
    this.isAlive = false;
    const members = [{ memberId: this.memberId, groupInstanceId: this.instanceId, reason: null }];
    await this.#world.groups.leave({ groupId: "g", members }).catch(() => []);
  }

  #recover(error: StreamError): void {
    this.#world.note(`${this.name}: ${error.code}`);
    if (error.code === "member_id_required") {
      const { memberId } = error.details;
      this.memberId = String(memberId);
    } else if (error.code === "member_unknown") {
      this.memberId = "";
    } else if (error.code === "instance_fenced") {
      this.isAlive = false;
    }
  }

  async #join(): Promise<JoinResult> {
    const joined = await this.#world.groups.join(
      joinRequest({
        memberId: this.memberId,
        groupInstanceId: this.instanceId,
        clientId: this.name,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 15_000,
      }),
    );
    this.memberId = joined.memberId;
    return joined;
  }

  async #sync(joined: JoinResult): Promise<void> {
    const world = this.#world;
    const { generationId, protocolType, protocolName, memberId } = joined;
    const assignments = new Map<string, string>();
    const isAssigning = joined.leaderId === memberId && !joined.skipAssignment;
    if (isAssigning) {
      const ids = joined.members.map((member) => member.memberId);
      expect(ids).toContain(memberId);
      for (const id of ids) assignments.set(id, "");
      for (let partition = 0; partition < partitionCount; partition++) {
        const id = ids[partition % ids.length] ?? "";
        assignments.set(id, `${assignments.get(id) ?? ""}${partition},`);
      }
      world.assigned.set(`${generationId}/${memberId}`, assignments);
    }
    const synced = await world.groups.sync({
      groupId: "g",
      memberId,
      groupInstanceId: this.instanceId,
      generationId,
      protocolType,
      protocolName,
      assignments: Array.from(assignments, ([id, text]) => ({
        memberId: id,
        assignment: new TextEncoder().encode(text),
      })),
    });
    const given = textOf(synced.assignment);
    // Given away is what one leader of this very generation meant for this very member (or, for
    // the next process of a static member, for its former one).
    const meant = [...world.assigned]
      .filter(([key]) => key.startsWith(`${generationId}/`))
      .flatMap(([, parts]) => [...parts])
      .filter(([id]) => id === memberId || this.#isOwnInstance(id))
      .map(([, text]) => text);
    expect(meant).toContain(given);
    world.note(`${this.name}: generation ${generationId} gives ${given}`);
    this.stable = { generationId, parts: given.split(",").filter((part) => part !== "") };
  }

  async #work(generationId: number): Promise<void> {
    const world = this.#world;
    const self = { groupId: "g", memberId: this.memberId, groupInstanceId: this.instanceId };
    for (;;) {
      await world.platform.timers.sleep(2_000 + world.uniform() * 1_000);
      if (!this.isAlive) return;
      await world.groups.heartbeat({ ...self, generationId });
      await this.#commit(generationId, (this.stable?.parts ?? []).map(Number));
    }
  }

  async #commit(generationId: number, partitions: readonly number[]): Promise<void> {
    const world = this.#world;
    const counts = partitions.map((partition) => {
      const tried = world.tried[partition] ?? [];
      return tried.push(generationId * generationStep + tried.length);
    });
    const offsets = partitions.map((partition) =>
      offsetOf("orders", partition, world.tried[partition]?.at(-1) ?? -1),
    );
    const { memberId, instanceId: groupInstanceId } = this;
    const self = { groupId: "g", memberId, groupInstanceId, generationId, retentionMs: null };
    const verdicts = await world.groups.commitOffsets({ ...self, offsets });
    expect(verdicts).toEqual(partitions.map(() => null));
    for (const [index, partition] of partitions.entries()) {
      world.ackedCount[partition] = Math.max(world.ackedCount[partition] ?? 0, counts[index] ?? 0);
    }
  }

  #isOwnInstance(memberId: string): boolean {
    return this.instanceId !== null && memberId.startsWith(`${this.instanceId}-`);
  }
}

async function run(seed: number): Promise<{ trace: string[]; stable: Stable }> {
  const world = new World(seed);
  const consumers: Consumer[] = [];
  const lives: Promise<void>[] = [];
  let born = 0;
  const spawn = (instanceId: string | null) => {
    const consumer = new Consumer(world, `c${born++}`, instanceId);
    consumers.push(consumer);
    lives.push(consumer.live());
  };
  for (let step = 0; step < 4; step++) spawn(step < 2 ? `i${step}` : null);
  const { platform } = world;
  while (platform.clock.monotonic() < chaosMs) {
    await platform.advance(Math.floor(world.uniform() * 6_000));
    const alive = consumers.filter(({ isAlive }) => isAlive);
    const victim = alive[Math.floor(world.uniform() * alive.length)];
    if (world.chance(0.3) && alive.length < 7) spawn(null);
    else if (world.chance(0.2) && victim !== undefined) {
      world.note(`${victim.name} crashes`);
      victim.isAlive = false;
      if (victim.instanceId !== null) spawn(victim.instanceId);
    } else if (world.chance(0.15)) world.replaceWorker();
    else if (world.chance(0.1)) platform.stall(Math.floor(world.uniform() * 30_000));
    else if (victim !== undefined && victim.instanceId === null && world.chance(0.3)) {
      world.note(`${victim.name} leaves`);
      lives.push(victim.leave());
    }
  }
  world.isCalm = true;
  for (const instanceId of ["i0", "i1"]) {
    if (!consumers.some((one) => one.isAlive && one.instanceId === instanceId)) spawn(instanceId);
  }
  await platform.advance(calmMs);
  const stable = checkConverged(world, consumers);
  for (const consumer of consumers) consumer.isAlive = false;
  await platform.advance(60_000);
  await Promise.all(lives);
  await checkOffsets(world);
  checkWrites(world);
  return { trace: world.trace, stable };
}

function checkConverged(world: World, consumers: readonly Consumer[]): Stable {
  const alive = consumers.filter(({ isAlive }) => isAlive);
  const generations = new Set(alive.map(({ stable }) => stable?.generationId));
  expect(generations.size).toBe(1);
  const [generationId] = generations;
  expect(generationId).toBeGreaterThan(0);
  const covered = alive.flatMap(({ stable }) => stable?.parts ?? []).map(Number);
  expect(covered.sort((left, right) => left - right)).toEqual(
    Array.from({ length: partitionCount }, (_, partition) => partition),
  );
  return {
    generationId: generationId ?? 0,
    leaseEpoch: world.metadata.row("g").leaseEpoch,
    parts: new Map(alive.map(({ name, stable }) => [name, stable?.parts.join() ?? ""])),
  };
}

async function checkOffsets(world: World): Promise<void> {
  const fetching = world.groups.fetchOffsets({
    groupId: "g",
    partitions: null,
    requireStable: false,
  });
  await world.platform.advance(1_000);
  const fetched = await fetching;
  expect(fetched.length).toBe(partitionCount);
  for (const { offset, partition } of fetched) {
    const place = world.tried[partition]?.indexOf(offset) ?? -1;
    expect(place + 1).toBeGreaterThanOrEqual(world.ackedCount[partition] ?? 0);
  }
}

function checkWrites(world: World): void {
  let leaseEpoch = 0;
  let stableGeneration = 0;
  for (const write of world.metadata.writes) {
    expect(write.guard.leaseEpoch).toBeGreaterThanOrEqual(leaseEpoch);
    if (write.guard.leaseEpoch > leaseEpoch) stableGeneration = 0;
    leaseEpoch = write.guard.leaseEpoch;
    if ("snapshot" in write) {
      const { generationId } = JSON.parse(write.snapshot.text) as { generationId: number };
      expect(generationId).toBeGreaterThanOrEqual(stableGeneration);
      stableGeneration = generationId;
    } else {
      for (const { offset } of write.offsets) {
        const committedIn = Math.floor(offset / generationStep);
        expect(committedIn).toBeGreaterThanOrEqual(stableGeneration);
      }
    }
  }
  expect(world.metadata.commits.length).toBeGreaterThan(10);
}

for (let seed = 1; seed <= seeds; seed++) {
  test(`consumer group of seed ${seed} keeps its promises, the same way twice`, async () => {
    const first = await run(seed);
    const second = await run(seed);
    expect(second).toEqual(first);
  });
}
