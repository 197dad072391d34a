import { describe, expect, test } from "bun:test";
import { kafkaErrors } from "../../../../src/wire/kafka/error-code.ts";
import { kafkaErrorName } from "../../../../src/wire/kafka/error-name.ts";

describe("kafkaErrors", () => {
  test("has every code from -1 to 133 once", () => {
    const codes = Object.values(kafkaErrors).map(({ code }) => code);
    expect(codes).toEqual(Array.from({ length: 135 }, (_, index) => index - 1));
  });

  test("has Kafka's numbers", () => {
    expect(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION).toMatchObject({ code: 3, retriable: true });
    expect(kafkaErrors.UNSUPPORTED_VERSION).toMatchObject({ code: 35, retriable: false });
    expect(kafkaErrors.FENCED_INSTANCE_ID.code).toBe(82);
    expect(kafkaErrors.UNKNOWN_TOPIC_ID.code).toBe(100);
  });
});

describe("kafkaErrorName", () => {
  test("names a code, and unknown ones as UNKNOWN_SERVER_ERROR", () => {
    expect(kafkaErrorName(0)).toBe("NONE");
    expect(kafkaErrorName(25)).toBe("UNKNOWN_MEMBER_ID");
    expect(kafkaErrorName(9999)).toBe("UNKNOWN_SERVER_ERROR");
  });
});
