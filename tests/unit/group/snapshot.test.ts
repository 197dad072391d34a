import { expect, test } from "bun:test";
import { isStreamError } from "../../../src/base/stream-error.ts";
import { defaultGroupSettings, type GroupContext } from "../../../src/group/group-context.ts";
import { restoreGroup, storedSnapshot } from "../../../src/group/snapshot.ts";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

/** Version 1 as it was first written: it must be read for ever. */
const versionOne =
  '{"version":1,"generationId":7,"protocolType":"consumer","protocolName":"range","leaderId":"b",' +
  '"stateSince":1767225600000,"members":[' +
  '{"memberId":"a","groupInstanceId":"i1","clientId":"c","clientHost":"/10.0.0.1",' +
  '"sessionTimeoutMs":10000,"rebalanceTimeoutMs":60000,' +
  '"protocols":[["range","AAAAAAABAAZvcmRlcnP/////"]],"assignment":"AAEC"},' +
  '{"memberId":"b","groupInstanceId":null,"clientId":"c","clientHost":"/10.0.0.2",' +
  '"sessionTimeoutMs":45000,"rebalanceTimeoutMs":300000,' +
  '"protocols":[["range",""],["sticky","/w=="]],"assignment":""}]}';

function context(): GroupContext {
  const platform = createVirtualPlatform({ seed: 1 });
  return { ...platform, settings: defaultGroupSettings, persist() {} };
}

test("snapshot version 1 is read, and written again byte for byte", () => {
  const group = restoreGroup("g", versionOne, context());
  expect(group).toMatchObject({ generationId: 7, leaderId: "b", state: "Stable", memberCount: 2 });
  expect(group.staticMemberId("i1")).toBe("a");
  expect(group.member("a")).toMatchObject({
    expiresAt: 10_000,
    assignment: new Uint8Array([0, 1, 2]),
    isNew: false,
  });
  expect(storedSnapshot(group, "Stable")).toEqual({
    text: versionOne,
    state: "Stable",
    protocolType: "consumer",
  });
});

test("snapshot takes the assignments about to be given instead of those held", () => {
  const group = restoreGroup("g", versionOne, context());
  const { text } = storedSnapshot(group, "Stable", new Map([["b", new Uint8Array([9])]]));
  const next = restoreGroup("g", text, context());
  expect(next.member("a")?.assignment).toHaveLength(0);
  expect(next.member("b")?.assignment).toEqual(new Uint8Array([9]));
});

test("snapshot without members is an empty group with its generation", () => {
  const text = JSON.stringify({ ...JSON.parse(versionOne), leaderId: null, members: [] });
  const group = restoreGroup("g", text, context());
  expect(group).toMatchObject({ state: "Empty", generationId: 7, stateSince: 1767225600000 });
});

test("snapshot that is cut anywhere, or inconsistent, is corrupt metadata", () => {
  const value = JSON.parse(versionOne);
  const wrong = [
    ...Array.from({ length: versionOne.length }, (_, length) => versionOne.slice(0, length)),
    JSON.stringify({ ...value, version: 2 }),
    JSON.stringify({ ...value, leaderId: "x" }),
    JSON.stringify({ ...value, leaderId: null }),
    JSON.stringify({ ...value, members: [value.members[1], value.members[1]] }),
    JSON.stringify({ ...value, generationId: -1 }),
  ];
  for (const text of wrong) {
    let caught: unknown;
    try {
      restoreGroup("g", text, context());
    } catch (error) {
      caught = error;
    }
    expect(isStreamError(caught, "corrupt_metadata")).toBe(true);
  }
});
