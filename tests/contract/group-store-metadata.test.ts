import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { present } from "../../src/base/assert.ts";
import type { OffsetKey } from "../../src/group/types.ts";
import { TopicCatalog } from "../../src/log/topic-catalog.ts";
import { migrate } from "../../src/meta/migrate.ts";
import type { SqlDatabase } from "../../src/meta/sql-database.ts";
import { leaveWorkers, type WorkerInfo } from "../../src/meta/workers.ts";
import { MetadataGroupLeases, MetadataGroupStore } from "../../src/runtime/group-ports.ts";
import { openMetadata } from "../../src/runtime/node/libsql-open.ts";
import { createVirtualPlatform } from "../support/virtual-platform.ts";
import { type GroupWorkerPorts, groupStoreContract } from "./group-store.ts";
import { newTopic, newWorker } from "./metadata-fixture.ts";

groupStoreContract("group store in an embedded file", async () => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-groups-"));
  const url = `file:${join(directory, "meta.db")}`;
  const database = await openMetadata({ url, authToken: null, fsync: false });
  await migrate(database);
  const [one, two] = [await newWorker(database), await newWorker(database)];
  const { topicId, name: topicName } = await newTopic(database, { partitionCount: 2 });
  const key = (partition: number): OffsetKey => ({ topicId, topicName, partition });
  return {
    first: portsOf(database, one, [one, two]),
    second: portsOf(database, two, [one, two]),
    partitions: [key(0), key(1)],
    goneTopic: { ...key(0), topicId: "Z29uZWdvbmVnb25lZ29uZQ" as OffsetKey["topicId"] },
    now: () => Date.now(),
    closeFirst: () => leaveWorkers(database, one.workerEpoch),
    close: async () => {
      await database.close();
      rmSync(directory, { recursive: true });
    },
  };
});

function portsOf(
  database: SqlDatabase,
  worker: WorkerInfo,
  workers: readonly WorkerInfo[],
): GroupWorkerPorts {
  const { workerEpoch, nodeId } = worker;
  const current = { workerEpoch, nodeId, lastSequence: -1 };
  const nodes = workers.map((each) => ({
    nodeId: each.nodeId,
    kafkaHost: present(each.kafkaHost, "host"),
    kafkaPort: present(each.kafkaPort, "port"),
    httpUrl: "",
  }));
  const parts = {
    database,
    topics: new TopicCatalog({
      platform: createVirtualPlatform({ seed: 1 }),
      database,
      settings: { partitionCountDefault: 1, autoCreateTopics: false },
      onChange: () => undefined,
    }),
    identity: { current: () => current },
    cluster: () => ({ clusterId: "cluster", selfNodeId: nodeId, nodes }),
  };
  return {
    nodeId,
    leases: new MetadataGroupLeases(parts),
    store: new MetadataGroupStore(parts),
  };
}
