/**
 * What outlives a worker: the membership of the last stable generation, as JSON text in the group's
 * metadata row. Written before the members get their assignments, so whoever takes the lease over
 * knows every member that may act on one; and when the last member has gone.
 *
 *   { "version": 1, "generationId", "protocolType", "protocolName", "leaderId", "stateSince",
 *     "members": [ { "memberId", "groupInstanceId", "clientId", "clientHost", "sessionTimeoutMs",
 *       "rebalanceTimeoutMs", "protocols": [ [name, base64] … ], "assignment": base64 } … ] }
 *
 * Sessions are not in it: after a take-over every member has a fresh one.
 */
import * as z from "zod";
import { StreamError } from "../base/stream-error.ts";
import { ClassicGroup } from "./classic-group.ts";
import type { GroupContext } from "./group-context.ts";
import type { StoredSnapshot } from "./group-store.ts";
import { noAssignment, touch } from "./member.ts";

const snapshotVersion = 1;

const int32 = z.int32().nonnegative();
const snapshotShape = z.object({
  version: z.literal(snapshotVersion),
  generationId: int32,
  protocolType: z.string().nullable(),
  protocolName: z.string().nullable(),
  leaderId: z.string().nullable(),
  stateSince: z.number(),
  members: z.array(
    z.object({
      memberId: z.string().min(1),
      groupInstanceId: z.string().nullable(),
      clientId: z.string(),
      clientHost: z.string(),
      sessionTimeoutMs: int32,
      rebalanceTimeoutMs: int32,
      protocols: z.array(z.tuple([z.string(), z.base64()])).min(1),
      assignment: z.base64(),
    }),
  ),
});

/**
 * The snapshot of `group` as it will be in `state`; `assignments` are those about to be given, by
 * member id, and default to those that the members have.
 */
export function storedSnapshot(
  group: ClassicGroup,
  state: StoredSnapshot["state"],
  assignments?: ReadonlyMap<string, Uint8Array>,
): StoredSnapshot {
  const members = Array.from(group.members(), (member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    sessionTimeoutMs: member.sessionTimeoutMs,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    protocols: member.protocols.map(({ name, metadata }) => [name, metadata.toBase64()] as const),
    assignment: (assignments === undefined
      ? member.assignment
      : (assignments.get(member.memberId) ?? noAssignment)
    ).toBase64(),
  }));
  const text = JSON.stringify({
    version: snapshotVersion,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leaderId: group.leaderId,
    stateSince: group.stateSince,
    members,
  });
  return { text, state, protocolType: group.protocolType ?? "" };
}

/** The group as another worker left it, each member with a fresh session. */
export function restoreGroup(groupId: string, text: string, context: GroupContext): ClassicGroup {
  const snapshot = parseSnapshot(groupId, text);
  const group = new ClassicGroup(groupId, snapshot.stateSince);
  group.stored = true;
  group.generationId = snapshot.generationId;
  group.protocolType = snapshot.protocolType;
  group.protocolName = snapshot.protocolName;
  for (const stored of snapshot.members) {
    const member = {
      ...stored,
      protocols: stored.protocols.map(([name, metadata]) => ({
        name,
        metadata: Uint8Array.fromBase64(metadata),
      })),
      assignment: Uint8Array.fromBase64(stored.assignment),
      isNew: false,
      expiresAt: 0,
      join: null,
      sync: null,
    };
    touch(member, context);
    group.add(member);
  }
  group.leaderId = snapshot.leaderId;
  group.restoreState(snapshot.members.length === 0 ? "Empty" : "Stable", snapshot.stateSince);
  return group;
}

function parseSnapshot(groupId: string, text: string): z.infer<typeof snapshotShape> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw corrupt(groupId, "it is not JSON", cause);
  }
  const parsed = snapshotShape.safeParse(value);
  if (!parsed.success) throw corrupt(groupId, z.prettifyError(parsed.error), parsed.error);
  const { leaderId, members } = parsed.data;
  const ids = new Set(members.map((member) => member.memberId));
  if (ids.size !== members.length) throw corrupt(groupId, "a member is in it twice");
  if (members.length === 0 ? leaderId !== null : leaderId === null || !ids.has(leaderId)) {
    throw corrupt(groupId, "its leader is no member");
  }
  return parsed.data;
}

function corrupt(groupId: string, why: string, cause?: unknown): StreamError {
  return new StreamError(
    "corrupt_metadata",
    `Cannot read the state of group "${groupId}": ${why}`,
    {
      cause,
    },
  );
}
