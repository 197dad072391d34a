import { expect, test } from "bun:test";
import { StreamError } from "../../../../src/base/stream-error.ts";
import type { GroupService } from "../../../../src/group/group-service.ts";
import type { LogObjects } from "../../../../src/runtime/workerd/bindings.ts";
import { answerGroupCall, groupsInObjects } from "../../../../src/runtime/workerd/group-calls.ts";

function objectsOf(groups: Partial<GroupService>, asked: string[] = []): LogObjects {
  return {
    getByName: (name) => ({
      fetch: () => Promise.reject(new Error("not asked for")),
      hear: () => Promise.reject(new Error("not asked for")),
      listen: () => Promise.reject(new Error("not asked for")),
      listenForGroup: () => Promise.reject(new Error("not asked for")),
      appendAll: () => Promise.reject(new Error("not asked for")),
      maintain: () => Promise.reject(new Error("not asked for")),
      async callGroup(call) {
        asked.push(name);
        return structuredClone(
          await answerGroupCall(groups as GroupService, structuredClone(call)),
        );
      },
    }),
  };
}

const nobody = { listGroups: async () => [] };

test("a call goes to its group's object, and each of several to its own", async () => {
  const asked: string[] = [];
  const objects = objectsOf(
    { deleteGroups: async ([groupId = ""]) => [{ groupId, error: null }] },
    asked,
  );
  const groups = groupsInObjects(objects, nobody);
  const deleted = await groups.deleteGroups(["a", "b"]);
  expect(deleted.map(({ groupId }) => groupId)).toEqual(["a", "b"]);
  expect(asked).toEqual(["a", "b"]);
});

test("a refusal keeps its code and its details between objects", async () => {
  const details = { memberId: "m-1" };
  const objects = objectsOf({
    heartbeat: () => Promise.reject(new StreamError("member_id_required", "Cannot", { details })),
  });
  const beat = groupsInObjects(objects, nobody).heartbeat({
    groupId: "g",
    memberId: "",
    groupInstanceId: null,
    generationId: 1,
  });
  expect(beat).rejects.toMatchObject({ code: "member_id_required", details });
});

test("an object that ends while it is asked is a coordinator to ask again", async () => {
  const objects = objectsOf({ locate: () => Promise.reject(new Error("evicted")) });
  const located = groupsInObjects(objects, nobody).locate("g");
  expect(located).rejects.toMatchObject({ code: "coordinator_unavailable" });
});
