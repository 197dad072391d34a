/**
 * A log object's Kafka connections speak of groups, whose coordinators are objects of their own:
 * the calls go there. What a coordinator refuses comes back as a value, since errors lose their
 * codes between objects.
 */
import { isStreamError, StreamError } from "../../base/stream-error.ts";
import { type CallGroup, calledGroups } from "../../group/called-groups.ts";
import type { GroupService } from "../../group/group-service.ts";
import type { GroupAnswer, GroupCall, LogObjects } from "./bindings.ts";

/** The groups of all objects; `local` lists those that nobody leads. */
export function groupsInObjects(
  objects: LogObjects,
  local: Pick<GroupService, "listGroups">,
): GroupService {
  const call: CallGroup = async (groupId, method, argument) => {
    let answer: GroupAnswer;
    try {
      answer = await objects.getByName(groupId).callGroup({ method, argument });
    } catch (cause) {
      throw new StreamError(
        "coordinator_unavailable",
        `Cannot ask the coordinator of group "${groupId}": its object was replaced, ask again`,
        { cause },
      );
    }
    if ("value" in answer) return answer.value as never;
    throw new StreamError(answer.code, answer.message, { details: answer.details });
  };
  return calledGroups(call, { listGroups: (filter) => local.listGroups(filter) });
}

/** The other end: answers a call out of the object's own coordinator. */
export async function answerGroupCall(
  groups: GroupService,
  { method, argument }: GroupCall,
): Promise<GroupAnswer> {
  try {
    const asked = groups[method] as (argument: unknown) => Promise<unknown>;
    return { value: await asked.call(groups, argument) };
  } catch (error) {
    if (!isStreamError(error)) throw error;
    const { code, message, details } = error;
    return { code, message, details };
  }
}
