import { offsetKey } from "../support/group-fixture.ts";
import { MemoryGroups } from "../support/memory-group-store.ts";
import { createVirtualPlatform } from "../support/virtual-platform.ts";
import { groupStoreContract } from "./group-store.ts";

groupStoreContract("group store in memory", async () => {
  const platform = createVirtualPlatform({ seed: 1 });
  // No delays here: calls settle without the clock being moved.
  const timers = { ...platform.timers, sleep: async () => undefined };
  const metadata = new MemoryGroups({ platform: { ...platform, timers } });
  metadata.topicsGone.add("id-gone");
  return {
    first: { nodeId: 1, ...metadata.worker(1) },
    second: { nodeId: 2, ...metadata.worker(2) },
    partitions: [offsetKey("orders", 0), offsetKey("orders", 1)],
    goneTopic: offsetKey("gone", 0),
    now: () => platform.clock.now(),
    closeFirst: async () => metadata.closeWorker(1),
    close: async () => undefined,
  };
});
