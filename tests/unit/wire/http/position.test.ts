import { describe, expect, test } from "bun:test";
import { decodePosition, encodePosition } from "../../../../src/wire/http/position.ts";
import { crc32c } from "../../../support/record-tools.ts";

const position = {
  groupId: "gröup/1",
  clientId: "c",
  partitions: [
    { topicId: "AAAAAAAAAAAAAAAAAAAAAA", partition: 0, committed: -1, next: 5 },
    { topicId: "AAAAAAAAAAAAAAAAAAAAAA", partition: 7, committed: 2 ** 52, next: 2 ** 52 + 1 },
  ],
};

describe("positions", () => {
  test("come back as they were, in characters that need no escaping", () => {
    const text = encodePosition(position, crc32c);
    expect(text).toMatch(/^[\w-]+\.[0-9a-z]+$/);
    expect(decodePosition(text, position.groupId, crc32c)).toEqual(position);
  });

  test("are refused cut off anywhere, changed anywhere, and of another group", () => {
    const text = encodePosition(position, crc32c);
    const decode = (given: string) => () => decodePosition(given, position.groupId, crc32c);
    for (let length = 0; length < text.length; length++) {
      expect(decode(text.slice(0, length))).toThrow("Cannot go on");
      const other = text[length] === "A" ? "B" : "A";
      expect(decode(text.slice(0, length) + other + text.slice(length + 1))).toThrow();
    }
    expect(() => decodePosition(text, "other", crc32c)).toThrow("Cannot go on");
  });

  test("are refused where the checksum is right and the content is none", () => {
    for (const content of [
      "null",
      "[2,",
      '[1,"g","c",[["t",-1,0,0]]]',
      '[1,"g","c",[["t",0,0]]]',
    ]) {
      const bytes = new TextEncoder().encode(content);
      const text = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
      const given = `${text}.${crc32c.of(bytes).toString(36)}`;
      expect(() => decodePosition(given, "g", crc32c)).toThrow("Cannot go on");
    }
  });
});
