import { expect, test } from "bun:test";
import fc from "fast-check";
import { Base64 } from "../../../../src/runtime/workerd/small-base64.ts";

test("has the same bytes and texts as Node, with padding and without", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = Buffer.from(bytes).toString("base64");
      expect(Base64.fromUint8Array(bytes)).toBe(text);
      expect(Base64.toUint8Array(text)).toEqual(bytes);
      expect(Base64.toUint8Array(text.replaceAll("=", ""))).toEqual(bytes);
    }),
  );
});
