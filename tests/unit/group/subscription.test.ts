import { expect, test } from "bun:test";
import { subscribedTopics } from "../../../src/group/subscription.ts";

/** As kafka-clients 4.2 sends it (version 3, with owned partitions, generation and rack). */
const fromJava = Uint8Array.fromHex(
  "0003000000020006636c69636b7300066f7264657273ffffffff00000000ffffffffffff",
);

test("subscribedTopics reads the topics of any version", () => {
  expect(subscribedTopics(fromJava)).toEqual(["clicks", "orders"]);
});

test("subscribedTopics refuses bytes cut within the topics", () => {
  for (let length = 0; length < 22; length++) {
    expect(subscribedTopics(fromJava.subarray(0, length))).toBeNull();
  }
});

test("subscribedTopics refuses false counts, lengths and names that are no UTF-8", () => {
  expect(subscribedTopics(Uint8Array.fromHex("00007fffffff000161"))).toBeNull();
  expect(subscribedTopics(Uint8Array.fromHex("000000000001ffff61"))).toBeNull();
  expect(subscribedTopics(Uint8Array.fromHex("0000000000010001ff"))).toBeNull();
  expect(subscribedTopics(Uint8Array.fromHex("ffff00000000"))).toBeNull();
});
