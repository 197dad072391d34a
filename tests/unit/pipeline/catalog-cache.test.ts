import { expect, test } from "bun:test";
import { createSqlObject } from "../../../src/meta/sql-objects.ts";
import { CatalogCache } from "../../../src/pipeline/catalog-cache.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import { memoryDatabase, openStack } from "../../support/log-stack.ts";

test("CatalogCache gives the same catalog until a peer has changed it", async () => {
  const shared = { store: new MemoryStore(), database: memoryDatabase(), shared: true };
  const one = await openStack(shared);
  const other = await openStack(shared);
  const cache = new CatalogCache(other);
  const before = await cache.get();
  expect(await cache.get()).toBe(before);
  const object = {
    kind: "view",
    statement: "CREATE VIEW v AS SELECT 1",
    definition: "{}",
  } as const;
  await createSqlObject(one.database, { name: "v", ...object });
  const after = await cache.get();
  expect(after).not.toBe(before);
  expect([...after.catalog.names()]).toEqual(["v"]);
  expect(await cache.get()).toBe(after);
  await one.log.close();
  await other.log.close();
});

test("CatalogCache looks again when a statement of its own worker says so", async () => {
  const stack = await openStack();
  const cache = new CatalogCache(stack);
  const before = await cache.get();
  cache.forget();
  expect(await cache.get()).not.toBe(before);
  await stack.log.close();
});
