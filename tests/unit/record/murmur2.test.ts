import { expect, test } from "bun:test";
import { murmur2 } from "../../../src/record/murmur2.ts";
import { partitionForKey } from "../../../src/record/partitioner.ts";

/** Key, Utils.murmur2 and Utils.toPositive(…) % 12 of kafka-clients 4.2.0. */
const byJava: [string, number, number][] = [
  ["", 275646681, 9],
  ["a", -1563381124, 4],
  ["ab", 316155434, 2],
  ["abc", 479470107, 3],
  ["21", -973932308, 0],
  ["foobar", -790332482, 6],
  ["a-little-bit-long-string", -985981536, 8],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971, 5],
  ["schlüssel-✓", -650336941, 7],
];

test.each(byJava)("murmur2 of %p and its partition are Java's", (key, hash, partition) => {
  const bytes = new TextEncoder().encode(key);
  expect(murmur2(bytes)).toBe(hash);
  expect(partitionForKey(bytes, 12)).toBe(partition);
});
