/**
 * What workers ask each other about groups, as JSON: `POST /peer/groups/{method}` takes a method's
 * argument and answers `{"value":…}` or `{"code","message","details"}`. Bytes are base64.
 *
 * Two versions of a server speak it during a rollout: fields may be added with a default, and none
 * may change its meaning.
 */
import * as z from "zod";
import { type ErrorCode, errorKinds } from "../../base/stream-error.ts";
import type { GroupArgument, GroupMethod, GroupValue } from "../../group/called-groups.ts";
import { groupStates } from "../../group/types.ts";
import type { TopicId, TopicName } from "../../record/types.ts";

/** `locate` is asked of nobody else. */
export type PassedMethod = Exclude<GroupMethod, "locate">;

/** Of an argument or a value; the text goes on the wire. */
export function groupCallText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    each instanceof Uint8Array ? each.toBase64() : each,
  );
}

const text = z.string();
const textOrNull = z.string().nullable();
const integer = z.int();
const bytes = z.base64().transform((each) => Uint8Array.fromBase64(each));
const errorCode = z.enum(Object.keys(errorKinds) as [ErrorCode, ...ErrorCode[]]);
const errorOrNull = errorCode.nullable();

const group = z.object({ groupId: text });
const member = z.object({ memberId: text, groupInstanceId: textOrNull });
const membership = member.extend({ groupId: text, generationId: integer });
const offsetKey = z.object({
  topicId: text.transform((each) => each as TopicId),
  topicName: text.transform((each) => each as TopicName),
  partition: integer,
});
const offset = offsetKey.extend({ offset: integer, leaderEpoch: integer, metadata: text });
const protocol = { protocolType: text, protocolName: text };
const state = z.enum(groupStates);

const join = {
  argument: member.extend({
    groupId: text,
    clientId: text,
    clientHost: text,
    protocolType: text,
    protocols: z.array(z.object({ name: text, metadata: bytes })),
    sessionTimeoutMs: integer,
    rebalanceTimeoutMs: integer,
    requireKnownMemberId: z.boolean(),
    supportSkippingAssignment: z.boolean(),
    reason: textOrNull,
  }),
  value: z.object({
    ...protocol,
    memberId: text,
    generationId: integer,
    leaderId: text,
    skipAssignment: z.boolean(),
    members: z.array(member.extend({ metadata: bytes })),
  }),
};

const sync = {
  argument: membership.extend({
    protocolType: textOrNull,
    protocolName: textOrNull,
    assignments: z.array(z.object({ memberId: text, assignment: bytes })),
  }),
  value: z.object({ ...protocol, assignment: bytes }),
};

const describeGroups = {
  argument: z.array(text),
  value: z.array(
    group.extend({
      ...protocol,
      error: errorOrNull,
      state,
      members: z.array(
        member.extend({ clientId: text, clientHost: text, metadata: bytes, assignment: bytes }),
      ),
    }),
  ),
};

export const groupCalls = {
  join,
  sync,
  heartbeat: { argument: membership, value: z.null().transform(() => undefined) },
  leave: {
    argument: group.extend({ members: z.array(member.extend({ reason: textOrNull })) }),
    value: z.array(member.extend({ error: errorOrNull })),
  },
  commitOffsets: {
    argument: membership.extend({ retentionMs: integer.nullable(), offsets: z.array(offset) }),
    value: z.array(errorOrNull),
  },
  fetchOffsets: {
    argument: group.extend({
      partitions: z.array(offsetKey).nullable(),
      requireStable: z.boolean(),
    }),
    value: z.array(offset.extend({ error: errorOrNull })),
  },
  deleteOffsets: {
    argument: group.extend({ partitions: z.array(offsetKey) }),
    value: z.array(errorOrNull),
  },
  listGroups: {
    argument: z.object({ states: z.array(text), types: z.array(text) }),
    value: z.array(group.extend({ protocolType: text, state, type: z.literal("Classic") })),
  },
  describeGroups,
  deleteGroups: {
    argument: z.array(text),
    value: z.array(group.extend({ error: errorOrNull })),
  },
} satisfies {
  readonly [M in PassedMethod]: {
    readonly argument: z.ZodType<GroupArgument<M>>;
    readonly value: z.ZodType<GroupValue<M>>;
  };
};

export const passedMethod = z.enum(Object.keys(groupCalls) as [PassedMethod, ...PassedMethod[]]);

const detail = z.union([text, z.number(), z.boolean(), z.null()]);

/** What comes back with status 200; spaces may stand before it, see group-calls.ts. */
export const groupCallRefusal = z.object({
  code: errorCode,
  message: text,
  details: z.record(text, detail),
});
export const groupCallValue = z.object({ value: z.unknown() });
