import { describe, expect, test } from "bun:test";
import { type ErrorCode, errorKinds } from "../../../../src/base/stream-error.ts";
import { groupErrorCode } from "../../../../src/server/kafka/error-map.ts";
import { kafkaErrorNames } from "../../../../src/server/kafka/error-names.ts";
import { kafkaErrors } from "../../../../src/wire/kafka/error-code.ts";
import { kafkaErrorName } from "../../../../src/wire/kafka/error-name.ts";

const codes = Object.keys(errorKinds) as ErrorCode[];
const passing = codes.filter(
  (code) => errorKinds[code] === "unavailable" || errorKinds[code] === "exhausted",
);

describe("kafkaErrorNames", () => {
  test("lets clients try again whatever may pass", () => {
    // A full group stays full: Kafka's clients give up on it.
    for (const code of passing.filter((each) => each !== "group_full")) {
      expect([code, kafkaErrors[kafkaErrorNames[code]].retriable]).toEqual([code, true]);
      const inGroups = kafkaErrorName(groupErrorCode(code));
      expect([code, inGroups, kafkaErrors[inGroups].retriable]).toEqual([code, inGroups, true]);
    }
  });

  test("never calls a failure NONE", () => {
    for (const code of codes) expect(kafkaErrorNames[code]).not.toBe("NONE");
  });
});
