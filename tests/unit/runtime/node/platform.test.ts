import { expect, test } from "bun:test";
import { silentLogger } from "../../../../src/base/log.ts";
import { createPlatform, random, timers } from "../../../../src/runtime/node/platform.ts";

test("createPlatform brings codecs and the checksum of RFC 3720", () => {
  const platform = createPlatform({ log: silentLogger });
  expect(platform.crc32c.of(new Uint8Array(32))).toBe(0x8a9136aa);
  const text = new TextEncoder().encode("mill ".repeat(50));
  for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"] as const) {
    const packed = platform.codecs.compress(codec, text);
    expect(platform.codecs.decompress(codec, packed, { sizeMax: 1000 })).toEqual(text);
  }
});

test("timers.after fires once, and not when it was cancelled", async () => {
  const fired: string[] = [];
  timers.after(0, () => fired.push("now"));
  timers.after(1, () => fired.push("soon"));
  timers.after(0, () => fired.push("cancelled")).cancel();
  timers.after(1, () => fired.push("cancelled")).cancel();
  await timers.sleep(20);
  expect(fired).toEqual(["now", "soon"]);
});

test("timers.sleep ends when its signal aborts, before or during", async () => {
  await timers.sleep(3_600_000, AbortSignal.abort());
  const abort = new AbortController();
  const slept = timers.sleep(3_600_000, abort.signal);
  abort.abort();
  await slept;
});

test("random.bytes fills buffers of any size", () => {
  const bytes = random.bytes(200_000);
  expect(bytes).toHaveLength(200_000);
  expect(bytes.subarray(190_000).some((byte) => byte !== 0)).toBe(true);
});
