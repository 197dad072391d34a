import { expect, test } from "bun:test";
import { subscribedTopics } from "../../../src/group/subscription.ts";

const versionZero = "0000000000020006636c69636b7300066f7264657273000000020102";
const owned = "000000020006636c69636b73000000010000000000066f72646572730000000100000002";

/**
 * What ConsumerProtocol.serializeSubscription of kafka-clients 4.2.0 gives for two topics, two
 * bytes of user data, two owned partitions, generation 5 and a rack, in its versions 0 to 3.
 */
const fromJava = [
  versionZero,
  `0001${versionZero.slice(4)}${owned}`,
  `0002${versionZero.slice(4)}${owned}00000005`,
  `0003${versionZero.slice(4)}${owned}0000000500047261636b`,
].map((hex) => Uint8Array.fromHex(hex));

test("subscribedTopics reads the topics of all versions of the Java client", () => {
  for (const metadata of fromJava) expect(subscribedTopics(metadata)).toEqual(["clicks", "orders"]);
});

test("subscribedTopics refuses bytes cut within the topics", () => {
  for (let length = 0; length < 22; length++) {
    for (const metadata of fromJava) {
      expect(subscribedTopics(metadata.subarray(0, length))).toBeNull();
    }
  }
});

test("subscribedTopics refuses false counts, lengths and names that are no UTF-8", () => {
  expect(subscribedTopics(Uint8Array.fromHex("00007fffffff000161"))).toBeNull();
  expect(subscribedTopics(Uint8Array.fromHex("000000000001ffff61"))).toBeNull();
  expect(subscribedTopics(Uint8Array.fromHex("0000000000010001ff"))).toBeNull();
  expect(subscribedTopics(Uint8Array.fromHex("ffff00000000"))).toBeNull();
});
