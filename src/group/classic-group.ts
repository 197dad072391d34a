/**
 * The state of one group of the classic protocol: who is in it, what they speak, where the
 * rebalance stands. It holds data and keeps it consistent; join.ts, rebalance.ts, sync.ts and
 * membership.ts decide what happens, and the runner turns its deadlines into one timer.
 *
 *              first join                all (re)joined               leader's assignment stored
 *   Empty ───────────────► PreparingRebalance ─────────► CompletingRebalance ─────────► Stable
 *     ▲                        │    ▲  ▲                        │                          │
 *     └──── nobody is left ────┘    │  └── join, leave, expiry ─┘                          │
 *                                   └──────────── join, leave, expiry ─────────────────────┘
 *   Dead: let go by this worker (deleted, or the lease is elsewhere).
 *
 * Generations only grow while a group exists; each has one protocol and one leader.
 */
import { assert, present } from "../base/assert.ts";
import { StreamError } from "../base/stream-error.ts";
import { type GroupMember, memberMetadata, protocolBytes, type Waiter } from "./member.ts";
import { consumerProtocolType, subscribedTopics } from "./subscription.ts";
import type { GroupState, JoinedMember, JoinResult, MemberProtocol, SyncResult } from "./types.ts";

/** When the join phase ends at the latest; `initial` while the initial delay may be extended. */
export interface JoinDeadline {
  readonly at: number;
  readonly initial: { readonly delayMs: number; readonly remainingMs: number } | null;
}

const previousStates: Readonly<Record<GroupState, readonly GroupState[]>> = {
  Empty: ["PreparingRebalance"],
  PreparingRebalance: ["Empty", "CompletingRebalance", "Stable"],
  CompletingRebalance: ["PreparingRebalance"],
  Stable: ["CompletingRebalance"],
  Dead: ["Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead"],
};

export class ClassicGroup {
  readonly groupId: string;
  /** The store has its snapshot or offsets, or is about to. */
  stored = false;
  generationId = 0;
  protocolType: string | null = null;
  protocolName: string | null = null;
  leaderId: string | null = null;
  /** Of all members, while the clients are consumers whose metadata can be read; else null. */
  topics: ReadonlySet<string> | null = null;
  /** A member came since the initial delay was last extended. */
  newMemberAdded = false;
  /** The leader's assignment of this generation is being stored. */
  assignmentStoring = false;
  joinDeadline: JoinDeadline | null = null;
  syncDeadlineAt: number | null = null;
  /** Members that were given an id and have not joined with it: id to expiry (monotonic). */
  readonly pendingJoins = new Map<string, number>();
  readonly pendingSyncs = new Set<string>();
  #state: GroupState = "Empty";
  #previousState: GroupState = "Dead";
  #stateSince: number;
  readonly #members = new Map<string, GroupMember>();
  readonly #staticMembers = new Map<string, string>();
  readonly #protocolSupport = new Map<string, number>();
  #protocolBytes = 0;

  /** `now` is wall time: when the group became Empty counts for the expiry of its offsets. */
  constructor(groupId: string, now: number) {
    this.groupId = groupId;
    this.#stateSince = now;
  }

  get state(): GroupState {
    return this.#state;
  }

  get previousState(): GroupState {
    return this.#previousState;
  }

  /** Wall time of the last change of state, milliseconds since 1970. */
  get stateSince(): number {
    return this.#stateSince;
  }

  /** Somebody joins or is in it, or it is kept; one that was only asked about is not there. */
  get known(): boolean {
    return this.stored || this.pendingJoins.size > 0 || this.#state !== "Empty";
  }

  get memberCount(): number {
    return this.#members.size;
  }

  get protocolBytes(): number {
    return this.#protocolBytes;
  }

  members(): IterableIterator<GroupMember> {
    return this.#members.values();
  }

  member(memberId: string): GroupMember | undefined {
    return this.#members.get(memberId);
  }

  /** The id that the static member has now. */
  staticMemberId(groupInstanceId: string): string | undefined {
    return this.#staticMembers.get(groupInstanceId);
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId;
  }

  get awaitingJoinCount(): number {
    let count = 0;
    for (const member of this.#members.values()) if (member.join !== null) count++;
    return count;
  }

  allJoined(): boolean {
    if (this.pendingJoins.size > 0) return false;
    for (const member of this.#members.values()) if (member.join === null) return false;
    return true;
  }

  /** The longest that any member allows for rejoining. */
  rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const member of this.#members.values()) {
      longest = Math.max(longest, member.rebalanceTimeoutMs);
    }
    return longest;
  }

  /** `member_unknown`, or `instance_fenced` when another process took the instance id over. */
  requireMember(memberId: string, groupInstanceId: string | null): GroupMember {
    if (groupInstanceId !== null) {
      const holder = this.#staticMembers.get(groupInstanceId);
      if (holder !== undefined && holder !== memberId) {
        throw new StreamError(
          "instance_fenced",
          `Member "${memberId}" is fenced: ` +
            `instance "${groupInstanceId}" of group "${this.groupId}" is now another process`,
        );
      }
    }
    const member = this.#members.get(memberId);
    if (
      member === undefined ||
      (groupInstanceId !== null && member.groupInstanceId !== groupInstanceId)
    ) {
      throw unknownMember(this.groupId, memberId);
    }
    return member;
  }

  add(member: GroupMember): void {
    assert(!this.#members.has(member.memberId), "a member is added once");
    if (member.groupInstanceId !== null) {
      assert(!this.#staticMembers.has(member.groupInstanceId), "an instance id is one member's");
      this.#staticMembers.set(member.groupInstanceId, member.memberId);
    }
    this.leaderId ??= member.memberId;
    this.#members.set(member.memberId, member);
    this.#count(member.protocols, 1);
    this.pendingJoins.delete(member.memberId);
  }

  /** Takes a member or a pending id out. Its waiters must have been answered. */
  remove(memberId: string): void {
    this.pendingJoins.delete(memberId);
    this.pendingSyncs.delete(memberId);
    const member = this.#members.get(memberId);
    if (member === undefined) return;
    assert(member.join === null && member.sync === null, "a removed member waits for nothing");
    this.#members.delete(memberId);
    this.#count(member.protocols, -1);
    if (member.groupInstanceId !== null) this.#staticMembers.delete(member.groupInstanceId);
    if (this.leaderId === memberId) {
      const [first] = this.#members.keys();
      this.leaderId = first ?? null;
    }
  }

  /**
   * Gives a static member's place, assignment and leadership to its next process and fences
   * whatever the former one waits for. Returns the member under its new id.
   */
  replaceStatic(member: GroupMember, newMemberId: string, client: Client): GroupMember {
    const groupInstanceId = present(member.groupInstanceId, "instance id of a static member");
    const fenced = new StreamError(
      "instance_fenced",
      `Member "${member.memberId}" is fenced: ` +
        `instance "${groupInstanceId}" of group "${this.groupId}" joined again`,
    );
    this.failJoin(member, fenced);
    this.failSync(member, fenced);
    const { clientId, clientHost } = client;
    const next: GroupMember = {
      ...member,
      memberId: newMemberId,
      clientId,
      clientHost,
      isNew: false,
    };
    this.#members.delete(member.memberId);
    this.#members.set(newMemberId, next);
    this.#staticMembers.set(groupInstanceId, newMemberId);
    if (this.pendingSyncs.delete(member.memberId)) this.pendingSyncs.add(newMemberId);
    if (this.leaderId === member.memberId) this.leaderId = newMemberId;
    return next;
  }

  setProtocols(member: GroupMember, protocols: readonly MemberProtocol[]): void {
    this.#count(member.protocols, -1);
    member.protocols = protocols;
    this.#count(protocols, 1);
  }

  /** Whether one who speaks `protocols` can be a member beside those that are there. */
  supports(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (this.#state === "Empty") return protocolType !== "" && protocols.length > 0;
    return (
      this.protocolType === protocolType &&
      protocols.some(({ name }) => (this.#protocolSupport.get(name) ?? 0) === this.#members.size)
    );
  }

  /**
   * The protocol with the most votes among those that all members speak; a member votes for the
   * first of its list. On a tie the one first voted for, so that the choice repeats.
   */
  selectProtocol(): string {
    const votes = new Map<string, number>();
    for (const member of this.#members.values()) {
      const choice = member.protocols.find(
        ({ name }) => this.#protocolSupport.get(name) === this.#members.size,
      );
      const name = present(choice, "protocol that all members speak").name;
      votes.set(name, (votes.get(name) ?? 0) + 1);
    }
    let selected: string | null = null;
    for (const [name, count] of votes) {
      if (selected === null || count > (votes.get(selected) ?? 0)) selected = name;
    }
    return present(selected, "vote of a member");
  }

  transition(state: GroupState, now: number): void {
    assert(previousStates[state].includes(this.#state), `${this.#state} may become ${state}`);
    this.#previousState = this.#state;
    this.#state = state;
    this.#stateSince = now;
  }

  /** Puts a loaded group where its snapshot left it. */
  restoreState(state: "Empty" | "Stable", stateSince: number): void {
    this.#state = state;
    this.#stateSince = stateSince;
    this.refreshTopics();
  }

  /** Begins the next generation with the members that are there. */
  nextGeneration(now: number): void {
    this.generationId++;
    this.assignmentStoring = false;
    this.pendingSyncs.clear();
    if (this.#members.size > 0) {
      this.protocolName = this.selectProtocol();
      this.transition("CompletingRebalance", now);
    } else {
      this.protocolName = null;
      this.transition("Empty", now);
    }
    this.refreshTopics();
  }

  /** What the leader gets to assign to. */
  joinedMembers(): readonly JoinedMember[] {
    return Array.from(this.#members.values(), (member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: memberMetadata(member, this.protocolName),
    }));
  }

  /** A consumer group whose topics cannot be read counts as subscribed to all. */
  isSubscribed(topicName: string): boolean {
    return this.topics?.has(topicName) ?? this.protocolType === consumerProtocolType;
  }

  refreshTopics(): void {
    this.topics = this.protocolType === consumerProtocolType ? this.#readTopics() : null;
  }

  /** Parks a join; an earlier one of the same member, from a connection given up, is let go. */
  awaitJoin(member: GroupMember, waiter: Waiter<JoinResult>): void {
    this.failJoin(member, repeated(this.groupId, member.memberId));
    member.join = waiter;
  }

  awaitSync(member: GroupMember, waiter: Waiter<SyncResult>): void {
    this.failSync(member, repeated(this.groupId, member.memberId));
    member.sync = waiter;
  }

  resolveJoin(member: GroupMember, result: JoinResult): void {
    const waiter = member.join;
    member.join = null;
    waiter?.resolve(result);
  }

  failJoin(member: GroupMember, error: StreamError): void {
    const waiter = member.join;
    member.join = null;
    waiter?.reject(error);
  }

  resolveSync(member: GroupMember, result: SyncResult): void {
    const waiter = member.sync;
    member.sync = null;
    waiter?.resolve(result);
  }

  failSync(member: GroupMember, error: StreamError): void {
    const waiter = member.sync;
    member.sync = null;
    waiter?.reject(error);
  }

  #readTopics(): ReadonlySet<string> | null {
    const topics = new Set<string>();
    for (const member of this.#members.values()) {
      const found = subscribedTopics(memberMetadata(member, this.protocolName));
      if (found === null) return null;
      for (const topic of found) topics.add(topic);
    }
    return topics;
  }

  #count(protocols: readonly MemberProtocol[], change: 1 | -1): void {
    this.#protocolBytes += change * protocolBytes(protocols);
    for (const name of new Set(protocols.map((protocol) => protocol.name))) {
      const count = (this.#protocolSupport.get(name) ?? 0) + change;
      if (count === 0) this.#protocolSupport.delete(name);
      else this.#protocolSupport.set(name, count);
    }
  }
}

/** Where a member's process runs, as DescribeGroups shows it. */
export interface Client {
  readonly clientId: string;
  readonly clientHost: string;
}

export function unknownMember(groupId: string, memberId: string): StreamError {
  return new StreamError(
    "member_unknown",
    `Group "${groupId}" has no member "${memberId}": join again without a member id`,
  );
}

function repeated(groupId: string, memberId: string): StreamError {
  return new StreamError(
    "rebalance_in_progress",
    `Member "${memberId}" of group "${groupId}" asked again: the later request gets the answer`,
  );
}
