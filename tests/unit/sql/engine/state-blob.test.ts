import { describe, expect, test } from "bun:test";
import { decodeStateBlob, encodeStateBlob } from "../../../../src/sql/engine/state-blob.ts";

const parts = [
  { name: "time", bytes: new Uint8Array([1, 2, 3]) },
  { name: "größe", bytes: new Uint8Array(0) },
  { name: "groups", bytes: new Uint8Array(70_000).fill(7) },
];

describe("state blob", () => {
  test("gives its parts back by name", () => {
    const taken = parts.map(({ name, bytes }) => ({ name, bytes: bytes.slice() }));
    const decoded = decodeStateBlob(encodeStateBlob(taken));
    expect([...decoded.keys()]).toEqual(["time", "größe", "groups"]);
    for (const { name, bytes } of parts) expect(decoded.get(name)).toEqual(bytes);
    // They are the blob's now: a large one is freed at once.
    expect(taken.map(({ bytes }) => bytes.length)).toEqual([3, 0, 0]);
  });

  test("is refused when it is cut inside of a part, or of another version", () => {
    const blob = encodeStateBlob(parts.slice(0, 1));
    for (let length = 2; length < blob.length; length++) {
      expect(() => decodeStateBlob(blob.subarray(0, length))).toThrow(
        /Cannot read a query's state/,
      );
    }
    blob[0] = 9;
    expect(() => decodeStateBlob(blob)).toThrow(/version 9/);
  });
});
