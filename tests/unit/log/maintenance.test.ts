import { describe, expect, test } from "bun:test";
import { maintenanceDefaults } from "../../../src/log/maintenance.ts";
import { writeReceipts } from "../../../src/log/receipt-store.ts";
import type { TopicInfo } from "../../../src/meta/catalog.ts";
import { readLease } from "../../../src/meta/leases.ts";
import { publishTick } from "../../../src/meta/publish-order.ts";
import { leaveWorkers, registerWorker } from "../../../src/meta/workers.ts";
import { parseReceiptKey, workerPrefix } from "../../../src/store/object-keys.ts";
import type { ObjectStore } from "../../../src/store/object-store.ts";
import { batchOf, openStack } from "../../support/log-stack.ts";
import { readBack } from "../../support/read-back.ts";

async function receiptEpochs(store: ObjectStore): Promise<(number | undefined)[]> {
  const found = await Array.fromAsync(store.list("receipts/"));
  return found.map(({ key }) => parseReceiptKey(key)?.workerEpoch).sort();
}

/** A worker that published one record and left, the objects of its last receipts being lost. */
async function openAfterCrash() {
  const one = await openStack({ shared: true });
  const { store, database } = one;
  const config = { "retention.ms": "-1" };
  const request = { name: "orders", partitionCount: 1, replicationFactor: -1, config };
  const topic = await one.log.topics.create(request);
  await one.log.append(batchOf(one, topic, ["a"]));
  const { workerEpoch } = one.log.session.current();
  await leaveWorkers(database, workerEpoch, { isMended: true });
  const maintenance = { ...maintenanceDefaults, graceMs: -1 };
  const other = await openStack({ shared: true, store, database, maintenance });
  return { other, one, topic, workerEpoch };
}

function newTopic(stack: Awaited<ReturnType<typeof openStack>>) {
  const config = { "retention.ms": "-1" };
  const request = { name: "kept", partitionCount: 1, replicationFactor: -1, config };
  return stack.log.topics.create(request);
}

describe("Maintenance", () => {
  test("what retention has released is no longer read from memory", async () => {
    const stack = await openStack();
    const request = { name: "orders", partitionCount: 1, replicationFactor: -1, config: {} };
    const topic = await stack.log.topics.create(request);
    await stack.log.append(batchOf(stack, topic, ["old"], { timestamp: 1_000 }));
    await stack.log.maintenance.run();
    await expect(readBack(stack, topic)).rejects.toThrow("offset_out_of_range");
    await stack.log.close();
  });

  test("gives its lease back after a round that it was woken for", async () => {
    const stack = await openStack({ shared: true });
    const orphan = { workerEpoch: 1, sequence: 0, bytes: new Uint8Array(4096) };
    const { workerEpoch } = stack.log.session.current();
    const { key } = await stack.store.writeSegment({ ...orphan, workerEpoch });
    await stack.log.append(batchOf(stack, await newTopic(stack), ["a"]));
    await stack.log.maintenance.runOnce({ collectsOrphans: true });
    const lease = await readLease(stack.database, { kind: "maintenance", name: "log" });
    expect(lease).toMatchObject({ leaseEpoch: 2, workerEpoch: null });
    expect(await stack.store.sizeOf(key)).toBeUndefined();
    await stack.log.close();
  });

  test("leaves what its steps do not reach to the next round, wherever that is", async () => {
    const maintenance = { ...maintenanceDefaults, stepsMax: 3 };
    const stack = await openStack({ shared: true, maintenance });
    const { log, store, database } = stack;
    const { workerEpoch } = await registerWorker(database, {
      ...{ registration: "gone", kind: "process", nodeId: null },
      ...{ kafkaHost: null, kafkaPort: null, httpUrl: null },
    });
    for (let sequence = 0; sequence < 1_600; sequence++) {
      await store.writeSegment({ workerEpoch, sequence, bytes: new Uint8Array(8) });
    }
    await leaveWorkers(database, workerEpoch, { isMended: true });
    const orphans = async () =>
      (await Array.fromAsync(store.list(workerPrefix(workerEpoch)))).length;
    const topics: TopicInfo[] = [];
    for (const name of ["a", "b", "c"]) {
      const request = { name, partitionCount: 1, replicationFactor: -1, config: {} };
      const topic = await log.topics.create(request);
      topics.push(topic);
      await log.append(batchOf(stack, topic, ["old"], { timestamp: 1_000 }));
    }
    let place = await log.maintenance.runOnce({ collectsOrphans: true });
    expect(place.topic).toBe("a");
    expect(place.key).toStartWith(workerPrefix(workerEpoch));
    // Three slices of 500, in which the three segments of the topics come first.
    expect(await orphans()).toBe(103);
    const readable = async () =>
      (await Promise.allSettled(topics.map((topic) => readBack(stack, topic)))).map(
        ({ status }) => status === "fulfilled",
      );
    expect(await readable()).toEqual([false, true, true]);
    for (let round = 0; round < 6; round++) {
      place = await log.maintenance.runOnce({ collectsOrphans: false, place });
    }
    expect(place.key).toBeNull();
    expect([await orphans(), ...(await readable())]).toEqual([0, false, false, false]);
    await log.close();
  });

  test("forgets ticks that no reader can meet any more", async () => {
    const stack = await openStack();
    const request = { name: "orders", partitionCount: 1, replicationFactor: -1, config: {} };
    const topic = await stack.log.topics.create(request);
    await publishTick(stack.database, [topic.topicNumber]);
    await stack.log.append(batchOf(stack, topic, ["a"], { timestamp: stack.platform.clock.now() }));
    await publishTick(stack.database, [topic.topicNumber]);
    await stack.log.maintenance.run();
    const [ticks] = await stack.database.batch(
      [{ sql: "SELECT count(*) FROM tick", args: [] }],
      "read",
    );
    expect(ticks?.rows).toEqual([[1]]);
    await stack.log.close();
  });

  test("writes receipts of a closed worker that nobody else wrote", async () => {
    const { other, one, workerEpoch } = await openAfterCrash();
    expect(await receiptEpochs(other.store)).toEqual([]);
    await other.log.maintenance.run();
    expect(await receiptEpochs(other.store)).toEqual([workerEpoch]);
    await other.log.maintenance.run();
    expect(await receiptEpochs(other.store)).toEqual([workerEpoch]);
    await other.log.close();
    await one.log.close();
  });

  test("deletes receipts with the last live segment, but never another database's", async () => {
    const { other, one, topic, workerEpoch } = await openAfterCrash();
    const { log, store, platform } = other;
    const foreign = 2 ** 40;
    const receipt = { sequence: 1, publishPosition: 1, publishedAt: 1, entries: [], groups: [] };
    await writeReceipts({ platform, store }, { workerEpoch: foreign, receipts: [receipt] });
    await log.maintenance.run();
    await log.maintenance.collectOrphans();
    expect(await receiptEpochs(store)).toEqual([workerEpoch, foreign]);
    await log.deleteRecords(topic, 0, 1);
    await log.maintenance.run();
    await log.maintenance.collectOrphans();
    expect(await receiptEpochs(store)).toEqual([foreign]);
    expect(await Array.fromAsync(store.list("segments/"))).toEqual([]);
    await log.close();
    await one.log.close();
  });
});
