import { describe, expect, test } from "bun:test";
import { zstdFramesIn } from "../../../src/base/zstd-frame.ts";

/**
 * By the zstd 1.5 program, of "millrace " 33 times and "end": `zstd -c` (checksum, content size),
 * `--no-check`, and from a pipe (no content size).
 */
const foreign = {
  plain: "28b52ffd642c009d0000606d696c6c7261636520656e6401001d54cb11e0475144",
  noChecksum: "28b52ffd602c009d0000606d696c6c7261636520656e6401001d54cb11",
  streamed: "28b52ffd04589d0000606d696c6c7261636520656e6401001d54cb11e0475144",
};
const corrupt = expect.objectContaining({ code: "corrupt_record" });

describe("zstdFramesIn", () => {
  test.each(Object.entries(foreign))("finds the one frame of %s", (name, hex) => {
    const bytes = Uint8Array.fromHex(hex);
    const contentBytes = name === "streamed" ? undefined : 300;
    expect(zstdFramesIn(bytes)).toEqual([{ start: 0, end: bytes.length, contentBytes }]);
  });

  test("finds several frames and leaves skippable ones out", () => {
    const frames = Object.values(foreign).map((hex) => [...Uint8Array.fromHex(hex)]);
    const [first, second, third] = frames as [number[], number[], number[]];
    const skippable = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2];
    const bytes = Uint8Array.from([...skippable, ...first, ...second, ...skippable, ...third]);
    const found = zstdFramesIn(bytes).map(({ start, end }) => end - start);
    expect(found).toEqual([first.length, second.length, third.length]);
  });

  test.each(Object.values(foreign))("refuses %s cut at any byte", (hex) => {
    const bytes = Uint8Array.fromHex(hex);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => zstdFramesIn(bytes.subarray(0, length))).toThrow(corrupt);
    }
  });

  test("refuses what follows a frame and is none", () => {
    const bytes = [...Uint8Array.fromHex(foreign.plain), 1, 2, 3, 4];
    expect(() => zstdFramesIn(Uint8Array.from(bytes))).toThrow(corrupt);
    expect(() => zstdFramesIn(Uint8Array.from(bytes.slice(0, -1)))).toThrow(corrupt);
  });

  test("reads each size of the content size", () => {
    const magic = [0x28, 0xb5, 0x2f, 0xfd];
    const block = [1, 0, 0];
    const sizeOf = (...header: number[]) =>
      zstdFramesIn(Uint8Array.from([...magic, ...header, ...block]))[0]?.contentBytes;
    expect(sizeOf(0x20, 7)).toBe(7);
    expect(sizeOf(0x40, 0, 1, 0)).toBe(257);
    expect(sizeOf(0x80, 0, 1, 2, 0, 0)).toBe(513);
    expect(sizeOf(0xc0, 0, 1, 0, 0, 0, 1, 0, 0, 0)).toBe(2 ** 32 + 1);
    expect(sizeOf(0x00, 0)).toBeUndefined();
    expect(sizeOf(0x03, 0, 1, 2, 3, 4)).toBeUndefined();
  });

  test("refuses undefined bits and blocks", () => {
    const frame = (descriptor: number, block: number) =>
      Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, 0, block, 0, 0]);
    expect(zstdFramesIn(frame(0x20, 1))).toHaveLength(1);
    expect(() => zstdFramesIn(frame(0x28, 1))).toThrow(corrupt);
    expect(() => zstdFramesIn(frame(0x20, 7))).toThrow(corrupt);
  });
});
