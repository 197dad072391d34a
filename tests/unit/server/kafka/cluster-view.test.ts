import { expect, test } from "bun:test";
import { singleBroker } from "../../../../src/server/kafka/cluster-view.ts";
import { createKafkaFixture } from "../../../support/kafka-fixture.ts";

test("singleBroker shows one broker at the address that leads everything", async () => {
  const fixture = createKafkaFixture();
  const view = singleBroker(fixture.log, { host: "shim.local", port: 19_092 });
  const { nodes, selfNodeId, clusterId } = view.cluster();
  expect(clusterId).toBe(fixture.log.cluster().clusterId);
  expect(nodes).toEqual([{ nodeId: 0, kafkaHost: "shim.local", kafkaPort: 19_092, httpUrl: "" }]);
  expect(selfNodeId).toBe(0);
  expect(view.placeOf({ nodeId: 7, host: "elsewhere", port: 1 })).toEqual({
    nodeId: 0,
    host: "shim.local",
    port: 19_092,
  });
  await fixture.stop();
});
