import { describe, expect, test } from "bun:test";
import { bufferPosition, bufferSlackBytes, KernelMemory } from "../../../src/base/kernel-memory.ts";
import { loadWasmModule } from "../../../src/runtime/node/wasm-modules.ts";

const module = loadWasmModule("lz4");

describe("KernelMemory", () => {
  test("keeps what it holds when it grows", () => {
    const memory = new KernelMemory<unknown>(module);
    memory.bytes.fill(9, bufferPosition, bufferPosition + 100);
    memory.reserve(1_000_000);
    expect(memory.bytes.length).toBeGreaterThanOrEqual(1_000_000 + bufferSlackBytes);
    expect(memory.take(bufferPosition, 100)).toEqual(new Uint8Array(100).fill(9));
  });

  test("gives a large memory up after the call and keeps a small one", () => {
    const memory = new KernelMemory<unknown>(module);
    memory.reserve(1_000_000);
    const kept = memory.bytes;
    memory.release();
    expect(memory.bytes).toBe(kept);
    memory.reserve(20 << 20);
    memory.release();
    expect(memory.bytes.length).toBe(131_072);
  });

  test("takes bytes as a copy", () => {
    const memory = new KernelMemory<unknown>(module);
    const taken = memory.take(bufferPosition, 4);
    memory.bytes.fill(1);
    expect([...taken]).toEqual([0, 0, 0, 0]);
  });

  test("says what is too large for any memory", () => {
    const memory = new KernelMemory<unknown>(module);
    expect(() => memory.reserve(2 ** 33)).toThrow(
      expect.objectContaining({ code: "record_too_large" }),
    );
  });
});
