import { describe, expect, test } from "bun:test";
import { isStreamError } from "../../../../src/base/stream-error.ts";
import {
  consumerAssignment,
  consumerSubscription,
  decodeConsumerProtocol,
  encodeConsumerProtocol,
} from "../../../../src/wire/kafka/consumer-protocol.ts";

describe("encodeConsumerProtocol and decodeConsumerProtocol", () => {
  test("keep a subscription, without what its version lacks", () => {
    const subscription = {
      topics: ["a", "b"],
      userData: new Uint8Array(2000).fill(7),
      ownedPartitions: [{ topic: "a", partitions: [0, 2] }],
      generationId: 4,
      rackId: "r",
    };
    const read = (version: number) =>
      decodeConsumerProtocol(
        consumerSubscription,
        encodeConsumerProtocol(consumerSubscription, version, subscription),
      );
    expect(read(3)).toEqual({ ...subscription, version: 3 });
    expect(read(2)).toEqual({ ...subscription, version: 2, rackId: null });
    expect(read(1)).toMatchObject({
      ownedPartitions: subscription.ownedPartitions,
      generationId: -1,
    });
    expect(read(0)).toMatchObject({ topics: ["a", "b"], ownedPartitions: [] });
  });

  test("put the version before an assignment", () => {
    const assignment = { assignedPartitions: [{ topic: "t", partitions: [1] }] };
    const encoded = encodeConsumerProtocol(consumerAssignment, 1, assignment);
    expect([...encoded.subarray(0, 9)]).toEqual([0, 1, 0, 0, 0, 1, 0, 1, 0x74]);
    const expected = { ...assignment, userData: null, version: 1 };
    expect(decodeConsumerProtocol(consumerAssignment, encoded)).toEqual(expected);
  });

  test("read a newer version as the newest known and ignore what follows", () => {
    const encoded = encodeConsumerProtocol(consumerSubscription, 3, { topics: ["a"] });
    const newer = new Uint8Array([...encoded, 1, 2, 3]);
    newer[1] = 9;
    expect(decodeConsumerProtocol(consumerSubscription, newer)).toMatchObject({
      topics: ["a"],
      version: 9,
    });
  });

  test("refuse bytes of another protocol", () => {
    for (const bytes of [[], [0], [0, 0], [0xff, 0xff, 0, 0], [0, 0, 0x7f, 0, 0, 0, 1]]) {
      let caught: unknown;
      try {
        decodeConsumerProtocol(consumerSubscription, Uint8Array.from(bytes));
      } catch (error) {
        caught = error;
      }
      expect(isStreamError(caught, "invalid_request", "unsupported_version")).toBe(true);
    }
  });
});
