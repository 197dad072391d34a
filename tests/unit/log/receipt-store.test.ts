import { describe, expect, test } from "bun:test";
import { silentLogger } from "../../../src/base/log.ts";
import { adoptReceipts } from "../../../src/log/adopt-receipts.ts";
import { moveReceipts } from "../../../src/log/move-receipts.ts";
import { receiptsPerObject, writeReceipts } from "../../../src/log/receipt-store.ts";
import { forgetReceipts } from "../../../src/meta/object-index.ts";
import { createPlatform } from "../../../src/runtime/node/platform.ts";
import { decodeReceiptObject } from "../../../src/segment/receipt-object.ts";
import type { Receipt } from "../../../src/segment/segment.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import type { ObjectStore } from "../../../src/store/object-store.ts";
import { batchOf, type LogStack, openStack } from "../../support/log-stack.ts";

const platform = createPlatform({ log: silentLogger });

function receiptOf(sequence: number): Receipt {
  return { sequence, publishPosition: sequence + 1, publishedAt: 5, entries: [], groups: [] };
}

async function keysUnder(store: ObjectStore, prefix: string): Promise<string[]> {
  const found = await Array.fromAsync(store.list(prefix));
  return found.map(({ key }) => key).sort();
}

/** Sequences that whole receipt objects prove, in the order of the objects' keys. */
async function proved(store: ObjectStore): Promise<number[][]> {
  const sequences: number[][] = [];
  for (const key of await keysUnder(store, "receipts/")) {
    const length = (await store.sizeOf(key)) ?? 0;
    const bytes = await store.read({ key, position: 0, length });
    if (bytes.length < 36) continue;
    const { receipts } = decodeReceiptObject(bytes, platform.crc32c);
    sequences.push(receipts.map(({ sequence }) => sequence));
  }
  return sequences;
}

describe("writeReceipts", () => {
  test("makes the same object of the same receipts, another of others", async () => {
    const store = new MemoryStore();
    const parts = { platform, store };
    const write = (...sequences: number[]) =>
      writeReceipts(parts, { workerEpoch: 7, receipts: sequences.map(receiptOf) });
    await write(1, 2, 3);
    await write(1, 2, 3);
    expect(await proved(store)).toEqual([[1, 2, 3]]);
    await write(3);
    const found = await proved(store);
    expect(found.sort((a, b) => a.length - b.length)).toEqual([[3], [1, 2, 3]]);
  });

  test("does not take a torn object under its key for its own", async () => {
    const whole = new MemoryStore();
    const receipts = [receiptOf(4)];
    await writeReceipts({ platform, store: whole }, { workerEpoch: 7, receipts });
    const [key = ""] = await keysUnder(whole, "receipts/");
    const store = new MemoryStore();
    await store.create(key, new Uint8Array(9));
    await writeReceipts({ platform, store }, { workerEpoch: 7, receipts });
    expect(await keysUnder(store, "receipts/")).toHaveLength(2);
    expect(await proved(store)).toEqual([[4]]);
  });

  test("splits what is more than an object holds", async () => {
    const store = new MemoryStore();
    const receipts = Array.from({ length: receiptsPerObject + 1 }, (_, index) => receiptOf(index));
    await writeReceipts({ platform, store }, { workerEpoch: 7, receipts });
    expect((await proved(store)).map(({ length }) => length)).toEqual([receiptsPerObject, 1]);
  });
});

/** Segments 1 to 3 of one worker; each but the first carries the receipt of the one before. */
async function publishThree(): Promise<{ stack: LogStack; keys: string[]; workerEpoch: number }> {
  const stack = await openStack();
  const config = { "retention.ms": "-1" };
  const request = { name: "orders", partitionCount: 1, replicationFactor: -1, config };
  const topic = await stack.log.topics.create(request);
  for (const value of ["a", "b", "c"]) await stack.log.append(batchOf(stack, topic, [value]));
  const keys = await keysUnder(stack.store, "segments/");
  return { stack, keys, workerEpoch: stack.log.session.current().workerEpoch };
}

describe("moveReceipts", () => {
  test("keeps what only the footer of a deleted object proves, metadata or none", async () => {
    for (const isForgotten of [false, true]) {
      const { stack, keys } = await publishThree();
      const { database, store } = stack;
      if (isForgotten) {
        await forgetReceipts(database, { keepPerWorker: 1, closedMs: 0, limit: 100 });
      }
      await moveReceipts({ platform, database, store }, keys.slice(0, 1));
      expect(await proved(store)).toEqual([]);
      await moveReceipts({ platform, database, store }, keys.slice(1, 2));
      expect(await proved(store)).toEqual([[1]]);
      await stack.log.close();
    }
  });

  test("leaves receipts of dead segments behind", async () => {
    const { stack, keys } = await publishThree();
    const { database, store, log } = stack;
    const [topic] = await log.topics.list();
    if (topic === undefined) throw new Error("the topic is there");
    await log.deleteRecords(topic, 0, 1);
    await log.maintenance.run();
    await moveReceipts({ platform, database, store }, keys.slice(2));
    expect(await proved(store)).toEqual([[2]]);
    await log.deleteRecords(topic, 0, 3);
    await log.maintenance.run();
    await moveReceipts({ platform, database, store }, keys);
    expect(await proved(store)).toEqual([[2]]);
    await log.close();
  });
});

test("adoptReceipts writes those of live segments, and the same object again", async () => {
  const { stack, workerEpoch } = await publishThree();
  const { database, store, log } = stack;
  const [topic] = await log.topics.list();
  if (topic === undefined) throw new Error("the topic is there");
  await log.deleteRecords(topic, 0, 1);
  await log.maintenance.run();
  await adoptReceipts({ platform, database, store }, workerEpoch);
  await adoptReceipts({ platform, database, store }, workerEpoch);
  expect(await proved(store)).toEqual([[2, 3]]);
  await log.close();
});
