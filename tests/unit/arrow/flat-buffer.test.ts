import { expect, test } from "bun:test";
import { ByteBuffer } from "flatbuffers";
import {
  byte,
  flag,
  flatBuffer,
  int,
  long,
  longs,
  short,
  table,
  tables,
  text,
} from "../../../src/arrow/flat-buffer.ts";

/** A table of these bytes, read by Google's library: apache-arrow brings it. */
function rootOf(bytes: Uint8Array) {
  const buffer = new ByteBuffer(bytes);
  const root = buffer.readInt32(0);
  const at = (start: number, slot: number) => {
    const offset = buffer.__offset(start, 4 + 2 * slot);
    return offset === 0 ? undefined : start + offset;
  };
  return { buffer, root, at };
}

test("fields are found by their slots, whatever stands between them", () => {
  const bytes = flatBuffer(
    table(byte(7), long(-5), undefined, short(-2), int(1 << 30), flag(true)),
  );
  const { buffer, root, at } = rootOf(bytes);
  const place = (slot: number) => at(root, slot) ?? -1;
  expect(buffer.readUint8(place(0))).toBe(7);
  expect(buffer.readInt64(place(1))).toBe(-5n);
  expect(at(root, 2)).toBeUndefined();
  expect(at(root, 6)).toBeUndefined();
  expect(buffer.readInt16(place(3))).toBe(-2);
  expect(buffer.readInt32(place(4))).toBe(1 << 30);
  expect(buffer.readUint8(place(5))).toBe(1);
  expect([place(1) % 8, place(3) % 2, place(4) % 4]).toEqual([0, 0, 0]);
});

test("texts, tables in tables and structs are where references say, also as the buffer grows", () => {
  // Of every length, so that what follows begins at every remainder.
  const names = Array.from(
    { length: 200 },
    (_, index) => "ä".repeat(index % 13) + "x".repeat(index % 7),
  );
  const made = names.map((name, index) => table(text(name), table(int(index), table())));
  const bytes = flatBuffer(
    table(
      tables(made),
      longs([
        [1, 2 ** 40],
        [3, 4],
      ]),
    ),
  );
  expect(bytes.length % 8).toBe(0);
  const { buffer, root, at } = rootOf(bytes);
  const vector = at(root, 0) ?? -1;
  expect(buffer.__vector_len(vector)).toBe(names.length);
  const start = buffer.__vector(vector);
  for (const [index, name] of names.entries()) {
    const each = buffer.__indirect(start + 4 * index);
    expect(each % 4).toBe(0);
    expect(buffer.__string(at(each, 0) ?? -1)).toBe(name);
    const inner = buffer.__indirect(at(each, 1) ?? -1);
    expect(buffer.readInt32(at(inner, 0) ?? -1)).toBe(index);
  }
  const structs = at(root, 1) ?? -1;
  expect(buffer.__vector_len(structs)).toBe(2);
  const first = buffer.__vector(structs);
  expect(first % 8).toBe(0);
  expect([0, 8, 16, 24].map((offset) => buffer.readInt64(first + offset))).toEqual([
    ...[1n, 1_099_511_627_776n, 3n, 4n],
  ]);
});
