import { describe, expect, test } from "bun:test";
import { checkStoreIdentity } from "../../../src/log/store-identity.ts";
import { migrate } from "../../../src/meta/migrate.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import { batchOf, memoryDatabase, openStack } from "../../support/log-stack.ts";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

async function emptyMetadata() {
  const database = memoryDatabase();
  await migrate(database);
  return database;
}

describe("checkStoreIdentity", () => {
  const platform = createVirtualPlatform({ seed: 1 });

  test("the first worker names the store, and it is known again", async () => {
    const parts = { platform, database: await emptyMetadata(), store: new MemoryStore() };
    await checkStoreIdentity(parts);
    const { database } = parts;
    const other = { platform, database: await emptyMetadata(), store: new MemoryStore() };
    await checkStoreIdentity(other);
    const swapped = checkStoreIdentity({ platform, database, store: other.store });
    await expect(swapped).rejects.toThrow("Give the worker the store that belongs to its metadata");
  });

  test("an empty store is refused once the metadata names objects, unless it holds one", async () => {
    const stack = await openStack({ storeMayLoseTail: true });
    const { database, store, log } = stack;
    const request = { name: "orders", partitionCount: 1, replicationFactor: -1, config: {} };
    await log.append(batchOf(stack, await log.topics.create(request), ["a"]));
    const foreign = checkStoreIdentity({ platform, database, store: new MemoryStore() });
    await expect(foreign).rejects.toMatchObject({ code: "object_missing" });
    await store.delete(["store-id"]);
    await checkStoreIdentity({ platform, database, store });
    expect(await store.sizeOf("store-id")).toBe(32);
    await log.close();
  });

  test("a name that a crash cut short, or that the metadata forgot, is made good", async () => {
    const store = new MemoryStore();
    await store.create("store-id", new Uint8Array(7));
    await checkStoreIdentity({ platform, database: await emptyMetadata(), store });
    const name = await store.read({ key: "store-id", position: 0, length: 32 });
    const forgetful = await emptyMetadata();
    await checkStoreIdentity({ platform, database: forgetful, store });
    expect(await store.read({ key: "store-id", position: 0, length: 32 })).toEqual(name);
  });

  test("of workers that begin at once all agree", async () => {
    const parts = { platform, database: await emptyMetadata(), store: new MemoryStore() };
    await Promise.all([1, 2, 3].map(() => checkStoreIdentity(parts)));
    await checkStoreIdentity(parts);
  });
});
