import {
  type ListGroupsRequest,
  type ListGroupsResponse,
  listGroupsApi,
} from "../../wire/kafka/api/list-groups.ts";
import { groupFailureCode } from "./group-errors.ts";
import type { KafkaHandler } from "./handler.ts";

export const listGroupsHandler: KafkaHandler<ListGroupsRequest, ListGroupsResponse> = {
  api: listGroupsApi,
  async handle({ statesFilter, typesFilter }, call) {
    try {
      const filter = { states: statesFilter, types: typesFilter };
      const listed = await call.context.groups.listGroups(filter);
      const groups = listed.map(({ groupId, protocolType, state, type }) => ({
        groupId,
        protocolType,
        groupState: state,
        groupType: type.toLowerCase(),
      }));
      return { errorCode: 0, groups };
    } catch (error) {
      return { errorCode: groupFailureCode(error, call), groups: [] };
    }
  },
};
