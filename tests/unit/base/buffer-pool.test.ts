import { describe, expect, test } from "bun:test";
import { BufferPool } from "../../../src/base/buffer-pool.ts";

const KiB = 1024;

describe("BufferPool", () => {
  test("hands out what was given back, cut to the length asked for", () => {
    const pool = new BufferPool(1024 * KiB);
    const first = pool.take(100 * KiB);
    pool.give(first.subarray(10, 20));
    const second = pool.take(105 * KiB);
    expect(second.buffer).toBe(first.buffer);
    expect(second.length).toBe(105 * KiB);
    expect(pool.idleBytes).toBe(0);
  });

  test("takes buffers at most a quarter larger than asked for", () => {
    const pool = new BufferPool(0);
    for (let length = 64 * KiB; length <= 16 * 1024 * KiB; length = Math.ceil(length * 1.07)) {
      const buffer = pool.take(Math.min(length, 16 * 1024 * KiB)).buffer;
      expect(buffer.byteLength).toBeLessThanOrEqual(length * 1.25);
    }
  });

  test("keeps no more than its bound, and lets go the sizes unused for longest", () => {
    const pool = new BufferPool(300 * KiB);
    const small = [pool.take(64 * KiB), pool.take(64 * KiB)];
    const large = pool.take(256 * KiB);
    for (const buffer of small) pool.give(buffer);
    pool.give(large);
    expect(pool.idleBytes).toBe(256 * KiB);
    expect(pool.take(256 * KiB).buffer).toBe(large.buffer);
    pool.give(new Uint8Array(512 * KiB));
    pool.give(new Uint8Array(10));
    expect(pool.idleBytes).toBe(0);
  });

  test("of shared memory gives that, large and small, and takes back only its own", () => {
    const pool = new BufferPool(1024 * KiB, true);
    const large = pool.take(100 * KiB);
    expect(large.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(pool.take(10).buffer).toBeInstanceOf(SharedArrayBuffer);
    pool.give(new Uint8Array(new SharedArrayBuffer(large.buffer.byteLength)));
    pool.give(new Uint8Array(large.buffer.byteLength));
    expect(pool.idleBytes).toBe(0);
    pool.give(large);
    expect(pool.take(100 * KiB).buffer).toBe(large.buffer);
  });
});
