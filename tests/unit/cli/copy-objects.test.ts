import { expect, test } from "bun:test";
import { copyObjects } from "../../../src/cli/copy-objects.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import type { ObjectSource } from "../../../src/store/object-store.ts";

const [segment, rolling] = [
  "segments/0000000001/000000000001.segment",
  "segments/0000000001/00000001.log",
];
const receipts = "receipts/0000000001/000000000001-0000000a.receipts";
const bytes = (text: string) => new TextEncoder().encode(text);
const quiet = { signal: new AbortController().signal, onProgress: async () => {} };

async function storeOf(objects: Readonly<Record<string, string>>): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const [key, text] of Object.entries(objects)) await store.create(key, bytes(text));
  return store;
}

async function contents(store: MemoryStore) {
  const found: Record<string, string> = {};
  for await (const { key, sizeBytes } of store.list("")) {
    const read = await store.read({ key, position: 0, length: sizeBytes });
    found[key] = new TextDecoder().decode(read);
  }
  return found;
}

test("copyObjects copies segments, rolling files and receipts, and what is there stays", async () => {
  const all = { "store-id": "a".repeat(32), [segment]: "one", [rolling]: "many", [receipts]: "r" };
  const from = await storeOf({ ...all, "segments/0000000001/00000002.log": "" });
  const to = await storeOf({ "store-id": all["store-id"], [rolling]: "many" });
  expect(await copyObjects({ from, to, ...quiet })).toEqual({ objects: 2, bytes: 4, kept: 1 });
  expect(await contents(to)).toEqual(all);
  expect(await copyObjects({ from, to, ...quiet })).toEqual({ objects: 0, bytes: 0, kept: 3 });
});

test("copyObjects refuses a store that another log is in", async () => {
  const from = await storeOf({ "store-id": "a".repeat(32), [segment]: "one" });
  for (const other of [
    { "store-id": "b".repeat(32) },
    { [rolling]: "theirs" },
    { "store-id": "a".repeat(32), [segment]: "longer" },
  ]) {
    const to = await storeOf(other);
    await expect(copyObjects({ from, to, ...quiet })).rejects.toThrow(/another log/);
    expect(await contents(to)).toEqual(other);
  }
});

test("copyObjects hands a store that takes pieces the objects piece by piece", async () => {
  const from = await storeOf({ [segment]: "one", [rolling]: "many pieces" });
  const to = new MemoryStore();
  const pieces: string[] = [];
  const inPieces = Object.assign(to, {
    createFrom: async (key: string, { sizeBytes, read }: ObjectSource) => {
      const parts: Uint8Array[] = [];
      for (let position = 0; position < sizeBytes; position += 4) {
        parts.push(await read(position, Math.min(4, sizeBytes - position)));
      }
      pieces.push(...parts.map((part) => new TextDecoder().decode(part)));
      await to.create(key, Buffer.concat(parts));
    },
  });
  await copyObjects({ from, to: inPieces, ...quiet });
  expect(pieces.sort()).toEqual(["ces", "many", "one", " pie"].sort());
  expect(await contents(to)).toEqual({ [segment]: "one", [rolling]: "many pieces" });
});
