import { describe, expect, test } from "bun:test";
import { SpillSpace, spillBlockBytes } from "../../../../src/sql/kernel/spill-space.ts";
import { MemoryDisk } from "../../../support/memory-disk.ts";
import { createSqliteHost } from "../../../support/sqlite.ts";

function create(bytesMax = 100) {
  const { memory } = createSqliteHost();
  const disk = new MemoryDisk();
  return { memory, disk, space: new SpillSpace(memory, { disk, bytesMax }) };
}

describe("SpillSpace", () => {
  test("gives back what it took, whatever the length", () => {
    const { memory, space } = create();
    for (const length of [0, 1, spillBlockBytes - 1, spillBlockBytes, 2 * spillBlockBytes + 5]) {
      const bytes = Uint8Array.from({ length }, (_, index) => index % 251);
      const from = memory.place(bytes);
      const run = space.write(from, length);
      const to = memory.allocateZeroed(length + 1);
      space.read(run, to);
      expect(memory.take(to, length + 1)).toEqual(Uint8Array.from([...bytes, 0]));
      space.free(run);
      memory.free(from);
      memory.free(to);
    }
    expect(space.blocksUsed).toBe(0);
  });

  test("uses freed blocks again, and leaves those of other runs alone", () => {
    const { memory, disk, space } = create();
    const one = memory.place(new Uint8Array(10).fill(1));
    const first = space.write(one, 10);
    const kept = space.write(memory.place(new Uint8Array(10).fill(2)), 10);
    space.free(first);
    space.write(memory.place(new Uint8Array(10).fill(3)), 10);
    expect(disk.pages.size).toBe(2);
    space.read(kept, one);
    expect(memory.take(one, 10)).toEqual(new Uint8Array(10).fill(2));
  });

  test("counts all who hold memory", () => {
    const { space } = create(100);
    const holder = { bytesHeld: 70 };
    space.addHolder(holder);
    expect(space.bytesOver).toBe(-30);
    space.addHolder({ bytesHeld: 50 });
    expect(space.bytesOver).toBe(20);
    space.removeHolder(holder);
    expect(space.bytesOver).toBe(-50);
  });

  test("says that the disk failed, with its own error as cause", () => {
    const { memory, space, disk } = create();
    const full = new Error("the disk is full");
    disk.write = () => {
      throw full;
    };
    const failing = () => space.write(memory.allocate(10), 10);
    expect(failing).toThrow(
      expect.objectContaining({ code: "sql_evaluation_failed", cause: full }),
    );
  });
});
