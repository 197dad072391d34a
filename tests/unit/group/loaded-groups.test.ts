import { expect, test } from "bun:test";
import { defaultGroupSettings } from "../../../src/group/group-context.ts";
import { LoadedGroups } from "../../../src/group/loaded-groups.ts";
import { watch } from "../../support/group-fixture.ts";
import { type GroupStoreFault, MemoryGroups } from "../../support/memory-group-store.ts";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

function createGroups(faultOf: (method: string) => GroupStoreFault = () => "none") {
  const platform = createVirtualPlatform({ seed: 1 });
  const metadata = new MemoryGroups({ platform, delayMs: () => 20, fault: faultOf });
  const settings = defaultGroupSettings;
  const groups = new LoadedGroups({ platform, settings, ...metadata.worker(1) });
  return { platform, metadata, groups };
}

test("groups asked for twice at once are opened once", async () => {
  const { platform, groups } = createGroups();
  const opened = [watch(groups.open("g")), watch(groups.open("g"))];
  await platform.advance(100);
  expect(opened[0]?.value).toBe(opened[1]?.value as never);
  expect(groups.size).toBe(1);
});

test("groups that could not be opened are opened by the next who asks", async () => {
  let fault: GroupStoreFault = "refused";
  const { platform, groups } = createGroups((method) => (method === "load" ? fault : "none"));
  const refused = watch(groups.open("g"));
  await platform.advance(100);
  expect(refused.error?.code).toBe("metadata_unavailable");
  fault = "none";
  const opened = watch(groups.open("g"));
  await platform.advance(100);
  expect(opened.value?.guard).toEqual({ groupId: "g", leaseEpoch: 1 });
});

test("groups being opened when the worker is fenced are not served", async () => {
  const { platform, metadata, groups } = createGroups();
  const opening = watch(groups.open("g"));
  await platform.advance(30);
  metadata.closeWorker(1);
  groups.fence();
  await platform.advance(100);
  expect(opening.error?.code).toBe("coordinator_elsewhere");
  expect(groups.size).toBe(0);
});

test("groups being given back are opened again only under the next lease", async () => {
  const { platform, metadata, groups } = createGroups();
  const first = watch(groups.open("g"));
  await platform.advance(100);
  watch(groups.releaseIdle(Number.POSITIVE_INFINITY));
  const second = watch(groups.open("g"));
  await platform.advance(100);
  expect(second.value).not.toBe(first.value as never);
  expect(second.value?.guard.leaseEpoch).toBe(2);
  expect(metadata.row("g")).toMatchObject({ holder: 1, leaseEpoch: 2 });
});

test("groups are let go although the lease could not be given back", async () => {
  const { platform, groups } = createGroups((method) =>
    method === "release" ? "refused" : "none",
  );
  watch(groups.open("g"));
  await platform.advance(100);
  const released = watch(groups.releaseIdle(Number.POSITIVE_INFINITY));
  await platform.advance(100);
  await released.promise;
  expect(groups.size).toBe(0);
});

test("groups with members are never let go as idle", async () => {
  const { platform, groups } = createGroups();
  const opened = watch(groups.open("g"));
  await platform.advance(100);
  opened.value?.step((group) => group.pendingJoins.set("m", 60_000));
  const released = watch(groups.releaseIdle(Number.POSITIVE_INFINITY));
  await platform.advance(100);
  await released.promise;
  expect(groups.size).toBe(1);
});
