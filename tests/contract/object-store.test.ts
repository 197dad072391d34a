import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../src/base/log.ts";
import { nodeFileSystem } from "../../src/runtime/node/file-system.ts";
import { FolderStore } from "../../src/store/folder-store.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { ObjectStore } from "../../src/store/object-store.ts";
import { objectStoreContract } from "./object-store.ts";

objectStoreContract("memory", async () => {
  const store = new MemoryStore();
  // Memory has no second door: the one store is what another worker of this process would use.
  const unclosed: ObjectStore = {
    description: store.description,
    writeSegment: (segment) => store.writeSegment(segment),
    create: (key, bytes) => store.create(key, bytes),
    read: (location, signal) => store.read(location, signal),
    readInto: (location, targets) => store.readInto(location, targets),
    sizeOf: (key) => store.sizeOf(key),
    delete: (keys) => store.delete(keys),
    list: (prefix) => store.list(prefix),
    close: async () => {},
  };
  return { store, reopened: () => unclosed, dispose: async () => {} };
});

for (const writes of ["durable", "fast", "buffered"] as const) {
  objectStoreContract(`folder (${writes})`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "millrace-store-"));
    const open = () =>
      new FolderStore({
        fileSystem: nodeFileSystem({ writes }),
        directory,
        fsync: writes === "fast" ? "off" : "on",
        fileBytesMax: 65_536,
        log: silentLogger,
      });
    return {
      store: open(),
      reopened: open,
      dispose: async () => rmSync(directory, { recursive: true, force: true }),
    };
  });
}
