import type { ClassicGroup } from "./classic-group.ts";
import { memberMetadata, noAssignment } from "./member.ts";
import type { DescribedGroup, ListedGroup, ListGroupsFilter } from "./types.ts";

/** DescribeGroups: metadata and assignments are shown only while they belong together. */
export function describeGroup(group: ClassicGroup): DescribedGroup {
  if (!group.known) return unknownDescription(group.groupId);
  const isStable = group.state === "Stable";
  return {
    groupId: group.groupId,
    error: null,
    state: group.state,
    protocolType: group.protocolType ?? "",
    protocolName: isStable ? (group.protocolName ?? "") : "",
    members: Array.from(group.members(), (member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      metadata: isStable ? memberMetadata(member, group.protocolName) : noAssignment,
      assignment: isStable ? member.assignment : noAssignment,
    })),
  };
}

export function unknownDescription(
  groupId: string,
  error: DescribedGroup["error"] = "group_unknown",
): DescribedGroup {
  return { groupId, error, state: "Dead", protocolType: "", protocolName: "", members: [] };
}

export function listedGroup(group: ClassicGroup): ListedGroup {
  const { groupId, state } = group;
  return { groupId, protocolType: group.protocolType ?? "", state, type: "Classic" };
}

/** Tells whether ListGroups shows a group: Kafka compares states and types without case. */
export function listFilter(filter: ListGroupsFilter): (group: ListedGroup) => boolean {
  const states = new Set(filter.states.map((state) => state.toLowerCase()));
  const types = new Set(filter.types.map((type) => type.toLowerCase()));
  return ({ state, type }) =>
    (states.size === 0 || states.has(state.toLowerCase())) &&
    (types.size === 0 || types.has(type.toLowerCase()));
}
