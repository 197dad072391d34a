import type { Clock } from "../base/platform.ts";
import type { StreamError } from "../base/stream-error.ts";
import type { JoinResult, MemberProtocol, SyncResult } from "./types.ts";

/** A request that waits for its answer; exactly one of the two is called, once. */
export interface Waiter<T> {
  resolve(value: T): void;
  reject(error: StreamError): void;
}

export const noAssignment = new Uint8Array(0);

/** One membership. Times in milliseconds; `expiresAt` on the monotonic clock. */
export interface GroupMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  /** In the member's order of preference. */
  protocols: readonly MemberProtocol[];
  /** Of the last stable generation; empty before. */
  assignment: Uint8Array;
  /** Has not been through a rebalance: it cannot heartbeat yet and expires while it waits. */
  isNew: boolean;
  expiresAt: number;
  join: Waiter<JoinResult> | null;
  sync: Waiter<SyncResult> | null;
}

/** Starts the member's session again. */
export function touch(member: GroupMember, { clock }: { readonly clock: Clock }): void {
  member.expiresAt = clock.monotonic() + member.sessionTimeoutMs;
}

/** What the member said under `protocolName`; empty when it does not speak it. */
export function memberMetadata(
  member: Pick<GroupMember, "protocols">,
  protocolName: string | null,
): Uint8Array {
  const found = member.protocols.find((protocol) => protocol.name === protocolName);
  return found?.metadata ?? noAssignment;
}

/** Whether a rejoin brings nothing new: same names in the same order with the same bytes. */
export function sameProtocols(
  left: readonly MemberProtocol[],
  right: readonly MemberProtocol[],
): boolean {
  return (
    left.length === right.length &&
    left.every((protocol, index) => {
      const other = right[index];
      return (
        other !== undefined &&
        protocol.name === other.name &&
        sameBytes(protocol.metadata, other.metadata)
      );
    })
  );
}

/** Bytes that the member adds to its group's memory and snapshot. */
export function protocolBytes(protocols: readonly MemberProtocol[]): number {
  return protocols.reduce((sum, { name, metadata }) => sum + name.length + metadata.length, 0);
}

/**
 * Whether silence expels the member now. Who waits for a rebalance satisfies its session by that,
 * except a new member: its client may be gone, and nothing else would ever tell.
 */
export function canExpire(member: GroupMember): boolean {
  return member.isNew || (member.join === null && member.sync === null);
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
