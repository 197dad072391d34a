import { expect, test } from "bun:test";
import fc from "fast-check";
import { readCursor, writeCursor } from "../../../src/client/topic-cursor.ts";
import { advanceCursor, decodeCursor, encodeCursor } from "../../../src/wire/http/cursor.ts";

const cursors = fc.record({
  topicId: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes) => bytes.toBase64({ alphabet: "base64url", omitPadding: true })),
  offsets: fc.array(fc.integer({ min: 0, max: 2 ** 45 }), { minLength: 1, maxLength: 20 }),
});

test("the client's cursors are the server's, letter by letter", () => {
  fc.assert(
    fc.property(cursors, (cursor) => {
      const text = encodeCursor(cursor);
      expect(writeCursor(cursor)).toBe(text);
      expect(readCursor(text)).toEqual(cursor);
    }),
  );
});

test("a cursor with a tail reads as the server reads it", () => {
  fc.assert(
    fc.property(cursors, fc.nat(), fc.nat(), (cursor, seed, offset) => {
      const partition = seed % cursor.offsets.length;
      const text = advanceCursor(encodeCursor(cursor), partition, offset);
      expect(readCursor(text)).toEqual(decodeCursor(text));
    }),
  );
});
