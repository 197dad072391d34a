import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileSystem, OpenFile } from "../../../src/base/file-system.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { nodeFileSystem } from "../../../src/runtime/node/file-system.ts";
import { FolderStore } from "../../../src/store/folder-store.ts";
import { expectCode, filled, same } from "../../contract/object-store.ts";

const kib = 1024;

/** A disk that breaks when told to: faults are asked before each act on a file made by `create`. */
class FaultyDisk implements FileSystem {
  readonly #inner = nodeFileSystem({ writes: "buffered" });
  readonly events: string[] = [];
  /** Writes that have ended. */
  written = 0;
  fault: (act: "create" | "write" | "sync", path: string) => Promise<void> = async () => {};

  async create(path: string): Promise<OpenFile> {
    await this.fault("create", path);
    const file = await this.#inner.create(path);
    const name = path.slice(path.lastIndexOf("/") + 1);
    this.events.push(`create ${name}`);
    return {
      write: async (bytes, position) => {
        await this.fault("write", path);
        await file.write(bytes, position);
        this.written += 1;
      },
      sync: async () => {
        await this.fault("sync", path);
        await file.sync();
      },
      close: async () => {
        this.events.push(`close ${name}`);
        await file.close();
      },
      read: (target, position) => file.read(target, position),
      truncate: (size) => file.truncate(size),
      size: () => file.size(),
    };
  }

  open(path: string): Promise<OpenFile> {
    return this.#inner.open(path);
  }

  list(directory: string) {
    return this.#inner.list(directory);
  }

  remove(path: string): Promise<void> {
    return this.#inner.remove(path);
  }
}

async function withStore(
  use: (harness: { store: FolderStore; disk: FaultyDisk; directory: string }) => Promise<void>,
  options: { fsync?: "on" | "off"; fileBytesMax?: number } = {},
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-folder-"));
  const disk = new FaultyDisk();
  const fixed = { fileSystem: disk, directory, log: silentLogger };
  const store = new FolderStore({ ...fixed, fsync: "on", fileBytesMax: 16 * kib, ...options });
  try {
    await use({ store, disk, directory });
    await store.close();
    // Whatever broke on the way, no descriptor is left behind.
    const count = (act: string) => disk.events.filter((event) => event.startsWith(act)).length;
    expect(count("close")).toBe(count("create"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function segment(sequence: number, size = 4 * kib) {
  return { workerEpoch: 5, sequence, bytes: filled(size, sequence) };
}

function filesOf(directory: string): string[] {
  return readdirSync(join(directory, "segments/0000000005")).toSorted();
}

describe("FolderStore", () => {
  test("appends segments end to end in the order of the calls", () =>
    withStore(async ({ store }) => {
      const locations = await Promise.all([0, 1, 2, 3].map((n) => store.writeSegment(segment(n))));
      expect(locations).toEqual(
        [0, 1, 2, 3].map((n) => ({
          key: "segments/0000000005/00000000.log",
          position: n * 4 * kib,
          length: 4 * kib,
        })),
      );
    }));

  test("begins another file past the limit, made ahead, and closes the full one", () =>
    withStore(async ({ store, disk }) => {
      const first = await store.writeSegment(segment(0, 12 * kib));
      expect(store.isOpen(first.key)).toBe(true);
      const second = await store.writeSegment(segment(1, 8 * kib));
      expect(second).toMatchObject({ key: "segments/0000000005/00000001.log", position: 0 });
      expect(store.isOpen(first.key)).toBe(false);
      expect(store.isOpen(second.key)).toBe(true);
      expect(disk.events.slice(0, 3)).toEqual([
        "create 00000000.log",
        "create 00000001.log",
        "close 00000000.log",
      ]);
      await store.close();
      expect(store.isOpen(second.key)).toBe(false);
    }));

  test("gives a segment longer than the limit a file of its own", () =>
    withStore(async ({ store }) => {
      const first = await store.writeSegment(segment(0));
      const large = await store.writeSegment(segment(1, 64 * kib));
      const third = await store.writeSegment(segment(2));
      expect(large.position).toBe(0);
      expect(new Set([first.key, large.key, third.key]).size).toBe(3);
      expect(same(await store.read(large), filled(64 * kib, 1))).toBe(true);
    }));

  test("leaves no empty file behind when it closes", () =>
    withStore(async ({ store, directory }) => {
      await store.writeSegment(segment(0, 12 * kib));
      await store.close();
      expect(filesOf(directory)).toEqual(["00000000.log"]);
    }));

  test("writes a segment whose write failed to the next file, and its neighbours stand", () =>
    withStore(async ({ store, disk, directory }) => {
      let left = 1;
      disk.fault = async (act, path) => {
        if (act === "write" && path.endsWith("00000000.log") && left-- === 0)
          throw new Error("EIO");
      };
      const locations = await Promise.all([0, 1, 2].map((n) => store.writeSegment(segment(n))));
      for (const [n, location] of locations.entries()) {
        expect(same(await store.read(location), segment(n).bytes)).toBe(true);
      }
      expect(locations.map(({ key }) => key.slice(-12))).toEqual([
        "00000000.log",
        "00000001.log",
        "00000000.log",
      ]);
      expect(store.isOpen(locations[0]?.key ?? "")).toBe(false);
      const next = await store.writeSegment(segment(3));
      expect(next.key).toBe(locations[1]?.key ?? "");
      expect(filesOf(directory).length).toBe(2);
    }));

  test("answers store_unavailable when the disk takes nothing, and works again after", () =>
    withStore(async ({ store, disk }) => {
      disk.fault = async (act) => {
        if (act === "write") throw new Error("ENOSPC: no space left on device");
      };
      await expectCode(store.writeSegment(segment(0)), "store_unavailable");
      disk.fault = async (act) => {
        if (act === "create") throw new Error("EROFS");
      };
      await expectCode(store.writeSegment(segment(1)), "store_unavailable");
      disk.fault = async () => {};
      const location = await store.writeSegment(segment(2));
      expect(same(await store.read(location), segment(2).bytes)).toBe(true);
    }));

  test("leaves no files behind by writing to a full disk", () =>
    withStore(async ({ store, disk, directory }) => {
      const kept = await store.writeSegment(segment(0));
      disk.fault = async (act) => {
        if (act === "write") throw new Error("ENOSPC: no space left on device");
      };
      for (let n = 1; n < 20; n++) {
        await expectCode(store.writeSegment(segment(n)), "store_unavailable");
      }
      disk.fault = async () => {};
      const location = await store.writeSegment(segment(20));
      expect(same(await store.read(location), segment(20).bytes)).toBe(true);
      expect(same(await store.read(kept), segment(0).bytes)).toBe(true);
      await store.close();
      expect(filesOf(directory)).toEqual([kept.key.slice(-12), location.key.slice(-12)]);
    }));

  test("tries afresh when the next file could not be made ahead", () =>
    withStore(async ({ store, disk }) => {
      disk.fault = async (act, path) => {
        if (act === "create" && path.endsWith("00000001.log")) throw new Error("ENOSPC");
      };
      await store.writeSegment(segment(0, 12 * kib));
      disk.fault = async () => {};
      const location = await store.writeSegment(segment(1, 12 * kib));
      expect(same(await store.read(location), segment(1, 12 * kib).bytes)).toBe(true);
    }));

  test("trusts nothing of a file whose sync failed, though a later sync succeeds", () =>
    withStore(async ({ store, disk }) => {
      const before = await store.writeSegment(segment(0));
      let failed = false;
      disk.fault = async (act, path) => {
        if (act !== "sync" || failed || !path.endsWith("00000000.log")) return;
        failed = true;
        throw new Error("EIO: sync");
      };
      const locations = await Promise.all([1, 2].map((n) => store.writeSegment(segment(n))));
      for (const location of locations) expect(location.key).not.toBe(before.key);
      expect(failed).toBe(true);
    }));

  test("shares one sync among writes that end while one runs", () =>
    withStore(
      async ({ store, disk }) => {
        await store.writeSegment(segment(0));
        const gate = Promise.withResolvers<void>();
        let syncs = 0;
        disk.fault = async (act) => {
          if (act === "sync" && ++syncs === 1) await gate.promise;
        };
        const writes = [1, 2, 3, 4, 5].map((n) => store.writeSegment(segment(n)));
        const all = disk.written + writes.length;
        while (syncs === 0 || disk.written < all) await Bun.sleep(1);
        gate.resolve();
        await Promise.all(writes);
        // The one that ran when they ended, and one for all of them.
        expect(syncs).toBe(2);
      },
      { fileBytesMax: 1024 * kib },
    ));

  test("never syncs with fsync off", () =>
    withStore(
      async ({ store, disk }) => {
        disk.fault = async (act) => {
          if (act === "sync") throw new Error("nobody asked");
        };
        await store.writeSegment(segment(0));
        await store.create("receipts/x", filled(10, 1));
      },
      { fsync: "off" },
    ));

  test("refuses to write where another process holds the epoch's files", () =>
    withStore(async ({ store, directory }) => {
      const fixed = { directory, fsync: "off", log: silentLogger } as const;
      const fileSystem = nodeFileSystem({ writes: "buffered" });
      const other = new FolderStore({ ...fixed, fileSystem });
      const kept = await other.writeSegment(segment(0));
      await expectCode(
        store.writeSegment({ ...segment(0), bytes: filled(4096, 9) }),
        "object_exists",
      );
      expect(same(await other.read(kept), segment(0).bytes)).toBe(true);
      await other.close();
    }));

  test("leaves nothing under the key of an object that could not be written", () =>
    withStore(async ({ store, disk }) => {
      disk.fault = async (act) => {
        if (act === "write") throw new Error("ENOSPC");
      };
      await expectCode(store.create("receipts/x", filled(10, 1)), "store_unavailable");
      disk.fault = async () => {};
      await store.create("receipts/x", filled(10, 2));
      expect(await store.sizeOf("receipts/x")).toBe(10);
    }));

  test("close waits for writes in flight", () =>
    withStore(async ({ store, disk }) => {
      const gate = Promise.withResolvers<void>();
      disk.fault = async (act) => {
        if (act === "write") await gate.promise;
      };
      const write = store.writeSegment(segment(0));
      const closed = store.close();
      gate.resolve();
      await closed;
      expect(disk.events).toContain("close 00000000.log");
      expect((await write).length).toBe(4 * kib);
    }));
});

describe("FolderStore.trimTornTail", () => {
  test("cuts a closed file, never lengthens it, and may be repeated", () =>
    withStore(async ({ store, directory }) => {
      const key = "segments/0000000004/00000000.log";
      await store.create(key, filled(10_000, 1));
      for (const end of [8192, 8192, 20_000]) {
        await store.trimTornTail(key, end);
        expect(statSync(join(directory, key)).size).toBe(8192);
      }
      expect(await store.sizeOf(key)).toBe(8192);
      await expectCode(store.read({ key, position: 8000, length: 200 }), "corrupt_segment");
      await expectCode(store.trimTornTail("segments/0000000004/1.log", 0), "object_missing");
    }));

  test("refuses a file that this worker still writes", () =>
    withStore(async ({ store }) => {
      const { key } = await store.writeSegment(segment(0));
      await expectCode(store.trimTornTail(key, 0), "invalid_request");
      await expect(store.delete([key])).rejects.toThrow("is closed before");
    }));

  test("reads a file that something else put there", () =>
    withStore(async ({ store, directory }) => {
      await store.create("x/seed", filled(1, 1));
      writeFileSync(join(directory, "x/foreign"), filled(100, 4));
      expect(await store.sizeOf("x/foreign")).toBe(100);
    }));
});
