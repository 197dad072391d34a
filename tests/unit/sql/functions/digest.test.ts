import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { md5, sha1, sha2 } from "../../../../src/sql/functions/digest.ts";

describe("digests", () => {
  test("agree with another implementation at every length around a block", () => {
    for (let length = 0; length < 260; length++) {
      const message = Uint8Array.from({ length }, (_, index) => (index * 31 + length) & 255);
      const other = (name: string) => createHash(name).update(message).digest("hex");
      expect(md5(message)).toBe(other("md5"));
      expect(sha1(message)).toBe(other("sha1"));
      expect(sha2(message, 224)).toBe(other("sha224"));
      expect(sha2(message, 256)).toBe(other("sha256"));
      expect(sha2(message, 384)).toBe(other("sha384"));
      expect(sha2(message, 512)).toBe(other("sha512"));
    }
  });
});
