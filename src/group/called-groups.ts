/**
 * Groups whose coordinators are elsewhere: a GroupService that only says where each call goes, by
 * the group that it is about.
 */
import type { GroupService } from "./group-service.ts";

export type GroupMethod = keyof GroupService;
export type GroupArgument<M extends GroupMethod> = Parameters<GroupService[M]>[0];
export type GroupValue<M extends GroupMethod> = Awaited<ReturnType<GroupService[M]>>;

/** Has the coordinator of `groupId` answer. */
export type CallGroup = <M extends Exclude<GroupMethod, "listGroups">>(
  groupId: string,
  method: M,
  argument: GroupArgument<M>,
) => Promise<GroupValue<M>>;

/** `listGroups` is about no group, and the only one that the caller must know how to do. */
export function calledGroups(
  call: CallGroup,
  { listGroups }: Pick<GroupService, "listGroups">,
): GroupService {
  const each = async <M extends "describeGroups" | "deleteGroups">(
    groupIds: readonly string[],
    method: M,
  ) => (await Promise.all(groupIds.map((groupId) => call(groupId, method, [groupId])))).flat();
  return {
    locate: (groupId) => call(groupId, "locate", groupId),
    join: (request) => call(request.groupId, "join", request),
    sync: (request) => call(request.groupId, "sync", request),
    heartbeat: (request) => call(request.groupId, "heartbeat", request),
    leave: (request) => call(request.groupId, "leave", request),
    commitOffsets: (request) => call(request.groupId, "commitOffsets", request),
    fetchOffsets: (request) => call(request.groupId, "fetchOffsets", request),
    deleteOffsets: (request) => call(request.groupId, "deleteOffsets", request),
    listGroups,
    describeGroups: (groupIds) => each(groupIds, "describeGroups") as never,
    deleteGroups: (groupIds) => each(groupIds, "deleteGroups") as never,
  };
}
