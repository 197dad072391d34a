import { afterEach, expect, test } from "bun:test";
import { silentLogger } from "../../../../src/base/log.ts";
import { batchesIn } from "../../../../src/record/batch.ts";
import { encodeBatch } from "../../../../src/record/batch-encode.ts";
import { InflateThread } from "../../../../src/runtime/node/inflate-thread.ts";
import { createPlatform } from "../../../../src/runtime/node/platform.ts";

let thread: InflateThread | undefined;
afterEach(() => thread?.close());

const platform = createPlatform({ log: silentLogger });

/** Batches in the middle of shared memory, as blocks have them. */
function packed(values: readonly string[]): Uint8Array {
  const records = values.map((value) => ({
    ...{ timestamp: 1_000, key: null, value: new TextEncoder().encode(value) },
  }));
  const bytes = encodeBatch({ records, codec: "zstd" }, platform);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 200), 100, bytes.length);
  shared.set(bytes);
  return shared;
}

function plain(values: readonly string[]): Uint8Array {
  const records = values.map((value) => ({
    ...{ timestamp: 1_000, key: null, value: new TextEncoder().encode(value) },
  }));
  return encodeBatch({ records, codec: "none" }, platform);
}

test("InflateThread gives batches in shared memory, whatever it expected of their size", async () => {
  thread = new InflateThread();
  const small = ["a", "b"];
  const large = ["x".repeat(300_000)];
  for (const values of [small, large, small, large]) {
    const found = await thread.inflate([packed(values), packed(values)], 1_000_000);
    expect(found?.buffer).toBeInstanceOf(SharedArrayBuffer);
    const batches = [...batchesIn(found ?? new Uint8Array())];
    expect(batches).toHaveLength(2);
    for (const { bytes } of batches) {
      expect(Buffer.compare(bytes.subarray(61), plain(values).subarray(61))).toBe(0);
    }
    if (found !== null) thread.giveBack(found);
  }
});

test("InflateThread gives up on what is too large, is none or comes too late", async () => {
  thread = new InflateThread();
  expect(await thread.inflate([packed(["x".repeat(300_000)])], 100_000)).toBeNull();
  const broken = packed(["x".repeat(1_000)]);
  broken.fill(7, 61);
  expect(await thread.inflate([broken], 100_000)).toBeNull();
  const whole = await thread.inflate([packed(["a"])], 100_000);
  expect(whole).not.toBeNull();
  const waiting = thread.inflate([packed(["a"])], 100_000);
  thread.close();
  expect(await waiting).toBeNull();
  expect(await thread.inflate([packed(["a"])], 100_000)).toBeNull();
});
