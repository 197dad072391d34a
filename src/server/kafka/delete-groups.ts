import {
  type DeleteGroupsRequest,
  type DeleteGroupsResponse,
  deleteGroupsApi,
} from "../../wire/kafka/api/delete-groups.ts";
import { groupCode, groupFailureCode } from "./group-errors.ts";
import type { KafkaHandler } from "./handler.ts";

export const deleteGroupsHandler: KafkaHandler<DeleteGroupsRequest, DeleteGroupsResponse> = {
  api: deleteGroupsApi,
  async handle({ groupsNames }, call) {
    try {
      const deleted = await call.context.groups.deleteGroups([...new Set(groupsNames)]);
      const results = deleted.map(({ groupId, error }) => ({
        groupId,
        errorCode: groupCode(error),
      }));
      return { results };
    } catch (error) {
      const errorCode = groupFailureCode(error, call);
      return { results: groupsNames.map((groupId) => ({ groupId, errorCode })) };
    }
  },
};
