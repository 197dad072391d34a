/** A coordinator on virtual time, and requests as the newest Kafka clients make them. */
import { expect } from "bun:test";
import { type ErrorCode, StreamError } from "../../src/base/stream-error.ts";
import { GroupCoordinator } from "../../src/group/coordinator.ts";
import type { GroupSettings } from "../../src/group/group-context.ts";
import type {
  JoinRequest,
  JoinResult,
  MemberProtocol,
  OffsetKey,
  SyncRequest,
  SyncResult,
} from "../../src/group/types.ts";
import type { TopicId, TopicName } from "../../src/record/types.ts";
import { MemoryGroups, type MemoryGroupsOptions } from "./memory-group-store.ts";
import { createVirtualPlatform, type VirtualPlatform } from "./virtual-platform.ts";

export interface GroupFixture {
  readonly platform: VirtualPlatform;
  readonly metadata: MemoryGroups;
  readonly groups: GroupCoordinator;
  /** Another worker on the same metadata. */
  another(nodeId: number): GroupCoordinator;
}

export function createGroupFixture(
  options: Partial<Omit<MemoryGroupsOptions, "platform">> & {
    readonly settings?: Partial<GroupSettings>;
    readonly loadedMax?: number;
  } = {},
): GroupFixture {
  const platform = createVirtualPlatform({ seed: 1 });
  const metadata = new MemoryGroups({ platform, ...options });
  const { settings = {}, loadedMax = 100 } = options;
  const another = (nodeId: number) =>
    new GroupCoordinator({ platform, settings, loadedMax, ...metadata.worker(nodeId) });
  return { platform, metadata, groups: another(1), another };
}

/** A subscription of the consumer protocol, version 0. */
export function subscription(...topics: string[]): Uint8Array {
  const names = topics.map((topic) => new TextEncoder().encode(topic));
  const length = names.reduce((sum, name) => sum + 2 + name.length, 6);
  const view = new DataView(new ArrayBuffer(length + 4));
  view.setInt32(2, names.length);
  let position = 6;
  const bytes = new Uint8Array(view.buffer);
  for (const name of names) {
    view.setInt16(position, name.length);
    bytes.set(name, position + 2);
    position += 2 + name.length;
  }
  view.setInt32(position, -1);
  return bytes;
}

export function protocol(name: string, ...topics: string[]): MemberProtocol {
  return { name, metadata: subscription(...topics) };
}

export function joinRequest(change: Partial<JoinRequest> = {}): JoinRequest {
  return {
    groupId: "g",
    memberId: "",
    groupInstanceId: null,
    clientId: "client",
    clientHost: "/127.0.0.1",
    protocolType: "consumer",
    protocols: [protocol("range", "orders")],
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    requireKnownMemberId: true,
    supportSkippingAssignment: true,
    reason: null,
    ...change,
  };
}

/** A promise watched from the side: what became of it so far. */
export interface Watched<T> {
  readonly promise: Promise<T>;
  value?: T;
  error?: StreamError;
}

export function watch<T>(promise: Promise<T>): Watched<T> {
  const watched: Watched<T> = { promise };
  promise.then(
    (value) => {
      watched.value = value;
    },
    (error: StreamError) => {
      watched.error = error;
    },
  );
  return watched;
}

/** Joins as a dynamic member does: gets an id, then parks the join with it. */
export async function startJoin(
  { platform, groups }: Pick<GroupFixture, "platform" | "groups">,
  change: Partial<JoinRequest> = {},
): Promise<Watched<JoinResult>> {
  const first = watch(groups.join(joinRequest(change)));
  await platform.settle();
  if (first.error?.code !== "member_id_required") return first;
  const { memberId: givenId } = first.error.details;
  const memberId = String(givenId);
  const second = watch(groups.join(joinRequest({ ...change, memberId })));
  await platform.settle();
  return second;
}

export function syncRequest(
  joined: JoinResult,
  assignments: Readonly<Record<string, string>> = {},
  groupInstanceId: string | null = null,
): SyncRequest {
  return {
    groupId: "g",
    memberId: joined.memberId,
    groupInstanceId,
    generationId: joined.generationId,
    protocolType: joined.protocolType,
    protocolName: joined.protocolName,
    assignments: Object.entries(assignments).map(([memberId, text]) => ({
      memberId,
      assignment: new TextEncoder().encode(text),
    })),
  };
}

/** Brings members together to a stable generation; each is assigned its own member id. */
export async function stabilize(
  fixture: Pick<GroupFixture, "platform" | "groups">,
  changes: readonly Partial<JoinRequest>[],
): Promise<readonly JoinResult[]> {
  const joins: Watched<JoinResult>[] = [];
  for (const change of changes) joins.push(await startJoin(fixture, change));
  await fixture.platform.advance(2_000);
  const joined = joins.map((join) => join.value as JoinResult);
  await syncAll(
    fixture,
    joined,
    changes.map(({ groupInstanceId }) => groupInstanceId ?? null),
  );
  return joined;
}

/** Everyone syncs, the leader with `{ id: id }`; returns what each was given. */
export async function syncAll(
  { platform, groups }: Pick<GroupFixture, "platform" | "groups">,
  joined: readonly JoinResult[],
  instanceIds: readonly (string | null)[] = [],
): Promise<readonly SyncResult[]> {
  const syncs = joined.map((join, index) => {
    const everyone = Object.fromEntries(join.members.map(({ memberId }) => [memberId, memberId]));
    return watch(groups.sync(syncRequest(join, everyone, instanceIds[index] ?? null)));
  });
  await platform.advance(10);
  return await Promise.all(syncs.map((sync) => sync.promise));
}

export function memberOf(joined: JoinResult, groupInstanceId: string | null = null) {
  const { memberId, generationId } = joined;
  return { groupId: "g", memberId, generationId, groupInstanceId };
}

export function offsetKey(topicName: string, partition: number): OffsetKey {
  return { topicId: `id-${topicName}` as TopicId, topicName: topicName as TopicName, partition };
}

export function offsetOf(topicName: string, partition: number, offset: number, metadata = "") {
  return { ...offsetKey(topicName, partition), offset, leaderEpoch: 0, metadata };
}

/** The code that `promise` fails with once virtual time has settled it. */
export async function failure(
  { platform }: Pick<GroupFixture, "platform">,
  promise: Promise<unknown>,
): Promise<ErrorCode | undefined> {
  const watched = watch(promise);
  await platform.advance(10);
  expect(watched.error).toBeInstanceOf(StreamError);
  return watched.error?.code;
}

/** What `promise` resolves to once virtual time has settled it. */
export async function answer<T>(
  { platform }: Pick<GroupFixture, "platform">,
  promise: Promise<T>,
): Promise<T> {
  const watched = watch(promise);
  await platform.advance(10);
  return await watched.promise;
}

export function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}
