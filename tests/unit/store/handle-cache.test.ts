import { expect, test } from "bun:test";
import type { FileSystem, OpenFile } from "../../../src/base/file-system.ts";
import { StreamError } from "../../../src/base/stream-error.ts";
import { HandleCache } from "../../../src/store/handle-cache.ts";
import { expectCode } from "../../contract/object-store.ts";

/** Counts which files are open; `missing` ones cannot be opened. */
function countingFiles() {
  const open = new Set<string>();
  const missing = new Set<string>();
  const opened: string[] = [];
  const fileSystem: Pick<FileSystem, "open"> = {
    async open(path) {
      if (missing.has(path)) throw new StreamError("object_missing", path);
      opened.push(path);
      open.add(path);
      return { close: async () => void open.delete(path) } as OpenFile;
    },
  };
  return { open, missing, opened, fileSystem: fileSystem as FileSystem };
}

const nothing = async () => {};

test("HandleCache keeps the most recently used files open, and no more than it may", async () => {
  const { open, opened, fileSystem } = countingFiles();
  const cache = new HandleCache(fileSystem, { handlesMax: 2 });
  for (const path of ["a", "b", "a", "c", "a"]) await cache.with(path, nothing);
  expect(opened).toEqual(["a", "b", "c"]);
  expect([...open].toSorted()).toEqual(["a", "c"]);
  await cache.close();
  expect(open.size).toBe(0);
});

test("HandleCache closes a dropped file when its last reader leaves", async () => {
  const { open, fileSystem } = countingFiles();
  const cache = new HandleCache(fileSystem, { handlesMax: 2 });
  const gate = Promise.withResolvers<void>();
  const reading = cache.with("a", () => gate.promise);
  await cache.drop("a");
  expect(open.has("a")).toBe(true);
  gate.resolve();
  await reading;
  expect(open.has("a")).toBe(false);
});

test("HandleCache tries a file afresh that could not be opened", async () => {
  const { missing, fileSystem } = countingFiles();
  const cache = new HandleCache(fileSystem, { handlesMax: 2 });
  missing.add("a");
  await expectCode(cache.with("a", nothing), "object_missing");
  missing.delete("a");
  expect(await cache.with("a", async () => "read")).toBe("read");
  await cache.close();
});
