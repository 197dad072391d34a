import { expect, test } from "bun:test";
import { rendezvous } from "../../../../src/log/leader.ts";
import type { LogService } from "../../../../src/log/log-types.ts";
import type { TopicId } from "../../../../src/record/types.ts";
import { singleBroker, wholeCluster } from "../../../../src/server/kafka/cluster-view.ts";
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

const node = (nodeId: number, kafkaHost: string) => ({
  nodeId,
  kafkaHost,
  kafkaPort: kafkaHost === "" ? 0 : 9092,
  httpUrl: `http://worker-${nodeId}`,
});

function viewOf(nodes: readonly ReturnType<typeof node>[], selfNodeId: number) {
  const log = {
    cluster: () => ({ clusterId: "c", selfNodeId, nodes }),
    leaderOf: (topicId: string, partition: number) => rendezvous(`${topicId}/${partition}`, nodes),
  };
  return { log, view: wholeCluster(log as unknown as LogService) };
}

const topicId = "t" as TopicId;
const partitions = Array.from({ length: 32 }, (_, partition) => partition);

test("wholeCluster shows workers that advertise one address as one broker", () => {
  const nodes = [node(3, "balancer"), node(1, "own"), node(2, "balancer")];
  for (const selfNodeId of [2, 3]) {
    const { view, log } = viewOf(nodes, selfNodeId);
    expect(view.cluster().nodes.map(({ nodeId, kafkaHost }) => [nodeId, kafkaHost])).toEqual([
      [1, "own"],
      [2, "balancer"],
    ]);
    expect(view.cluster().selfNodeId).toBe(2);
    for (const partition of partitions) {
      const isOwn = log.leaderOf(topicId, partition) === 1;
      expect(view.leaderOf(topicId, partition)).toBe(isOwn ? 1 : 2);
    }
    expect(view.placeOf({ nodeId: 3, host: "balancer", port: 9092 }).nodeId).toBe(2);
    // It drains, so that the list does not have it.
    expect(view.placeOf({ nodeId: 4, host: "gone", port: 9092 }).nodeId).toBe(4);
  }
});

test("wholeCluster shows no worker that does not listen for Kafka", () => {
  const { view } = viewOf([node(1, ""), node(2, "a"), node(3, "b")], 3);
  expect(view.cluster().nodes.map(({ nodeId }) => nodeId)).toEqual([2, 3]);
  const leaders = new Set(partitions.map((partition) => view.leaderOf(topicId, partition)));
  expect([...leaders].sort()).toEqual([2, 3]);
  const place = { nodeId: 3, host: "b", port: 9092 };
  expect(view.placeOf({ nodeId: 1, host: "", port: 0 })).toEqual(place);
});
