import type { DescribedGroup as GroupDescription } from "../../group/types.ts";
import {
  type DescribedGroup,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
  describeGroupsApi,
} from "../../wire/kafka/api/describe-groups.ts";
import { groupOperations, operationsNotAsked } from "./authorized-operations.ts";
import { groupCode, groupFailureCode } from "./group-errors.ts";
import type { KafkaHandler } from "./handler.ts";

/** Since then an unknown group is an error; before, it is a group in state Dead. */
const unknownGroupSince = 6;

export const describeGroupsHandler: KafkaHandler<DescribeGroupsRequest, DescribeGroupsResponse> = {
  api: describeGroupsApi,
  async handle({ groups, includeAuthorizedOperations }, call) {
    const authorizedOperations = includeAuthorizedOperations ? groupOperations : operationsNotAsked;
    try {
      const described = await call.context.groups.describeGroups(groups);
      return {
        groups: described.map((group) => ({
          ...groupResponse(group, call.version),
          authorizedOperations: group.error === null ? authorizedOperations : operationsNotAsked,
        })),
      };
    } catch (error) {
      const errorCode = groupFailureCode(error, call);
      return { groups: groups.map((groupId) => failedGroup(groupId, errorCode)) };
    }
  },
};

function groupResponse(group: GroupDescription, version: number): DescribedGroup {
  const isDead = group.error === "group_unknown" && version < unknownGroupSince;
  return {
    errorCode: isDead ? 0 : groupCode(group.error),
    // Versions before have no place for a message.
    ...(version >= unknownGroupSince && group.error === "group_unknown"
      ? { errorMessage: `Group ${group.groupId} not found.` }
      : {}),
    groupId: group.groupId,
    groupState: group.state,
    protocolType: group.protocolType,
    protocolData: group.protocolName,
    members: group.members.map(({ metadata, assignment, ...member }) => ({
      ...member,
      memberMetadata: metadata,
      memberAssignment: assignment,
    })),
  };
}

function failedGroup(groupId: string, errorCode: number): DescribedGroup {
  const nothing = { groupState: "", protocolType: "", protocolData: "", members: [] };
  return { errorCode, groupId, ...nothing };
}
