import { describe, expect, test } from "bun:test";
import { advanceCursor, decodeCursor, encodeCursor } from "../../../../src/wire/http/cursor.ts";

const topicId = "AQIDBAUGBwgJCgsMDQ4PEA";

describe("cursor", () => {
  test("has this text for ever", () => {
    const offsets = [5, 300, 5, 2 ** 40];
    const text = "AQECAwQFBgcICQoLDA0ODxAEBQCnAgD7_____x8";
    expect(encodeCursor({ topicId, offsets })).toBe(text);
    expect(decodeCursor(text)).toEqual({ topicId, offsets });
    expect(decodeCursor(`${text}.1.8d`)).toEqual({ topicId, offsets: [5, 301, 5, 2 ** 40] });
  });

  test("holds the largest offsets", () => {
    const offsets = [0, Number.MAX_SAFE_INTEGER];
    expect(decodeCursor(encodeCursor({ topicId, offsets })).offsets).toEqual(offsets);
    const advanced = advanceCursor(encodeCursor({ topicId, offsets }), 0, Number.MAX_SAFE_INTEGER);
    expect(decodeCursor(advanced).offsets[0]).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("needs no escaping in headers and URLs", () => {
    const offsets = Array.from({ length: 100 }, (_, index) => index ** 5);
    const text = advanceCursor(encodeCursor({ topicId, offsets }), 99, 2 ** 50);
    expect(encodeURIComponent(text)).toBe(text);
  });

  test("takes less than 8 KB at a thousand busy partitions", () => {
    const offsets = Array.from({ length: 1000 }, (_, index) => 2 ** 44 + index * 2 ** 25);
    expect(encodeCursor({ topicId, offsets }).length).toBeLessThan(8192);
  });

  test("is refused when cut anywhere or of another version", () => {
    const text = encodeCursor({ topicId, offsets: [1, 2, 3] });
    for (let length = 0; length < text.length; length++) {
      expect(() => decodeCursor(text.slice(0, length))).toThrow("Cannot resume");
    }
    expect(() => decodeCursor(`Ag${text.slice(2)}`)).toThrow("Cannot resume");
    for (const tail of [".", ".0", ".0.", ".3.1", ".0.1.2", ".-1.2", ".0.zzzzzzzzzzzz"]) {
      expect(() => decodeCursor(text + tail), tail).toThrow("Cannot resume");
    }
  });
});
