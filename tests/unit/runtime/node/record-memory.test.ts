import { expect, test } from "bun:test";
import { crc32cReservedBytes } from "../../../../src/base/crc32c-kernel.ts";
import { silentLogger } from "../../../../src/base/log.ts";
import { folderFlushPolicy } from "../../../../src/log/flush-policy.ts";
import { createPlatform, random } from "../../../../src/runtime/node/platform.ts";
import { recordMemory } from "../../../../src/runtime/node/record-memory.ts";

const MiB = 1024 * 1024;
const queueBytes = 64 * MiB;
const policy = { ...folderFlushPolicy, flushBytes: MiB, flightsMax: 2 };

for (const shared of [false, true]) {
  test(`ring and blocks lie behind the kernel, shared: ${shared}`, () => {
    const { memory, ring, blocks, frames } = recordMemory(64 * MiB, {
      ...{ policy, shared, queueBytes },
    });
    expect([ring.length, ...blocks.map(({ length }) => length)]).toEqual([48 * MiB, 16 * MiB]);
    expect(ring.byteOffset).toBe(crc32cReservedBytes);
    expect(blocks[0]?.byteOffset).toBe(ring.byteOffset + ring.length);
    expect(frames.byteOffset).toBe(ring.byteOffset + 64 * MiB);
    expect(frames.length).toBe(16 * MiB);
    expect(blocks[0]?.buffer === memory.buffer).toBe(true);
    expect(memory.buffer instanceof SharedArrayBuffer).toBe(shared);
  });

  test(`checksums in place are those of copies, shared: ${shared}`, () => {
    const { memory, ring } = recordMemory(16 * MiB, { policy, shared, queueBytes });
    const { crc32c } = createPlatform({ log: silentLogger, memory });
    ring.set(random.bytes(100_000));
    for (const length of [0, 1, 100, 8191, 8192, 16_384, 99_993]) {
      const view = ring.subarray(7, 7 + length);
      expect(crc32c.of(view)).toBe(crc32c.of(view.slice()));
    }
  });
}

test("the ring holds all flights however small the cache", () => {
  const { ring, blocks } = recordMemory(MiB, { policy, shared: false, queueBytes });
  expect([ring.length, blocks[0]?.length]).toEqual([4 * MiB, MiB / 4]);
});
