import { describe, expect, test } from "bun:test";
import { essence, preferredType } from "../../../../src/wire/http/media-type.ts";

const offered = ["application/json", "application/x-ndjson", "text/plain"] as const;

describe("preferredType", () => {
  const cases: [string | null, string | undefined][] = [
    [null, "application/json"],
    ["", "application/json"],
    ["*/*", "application/json"],
    ["text/plain", "text/plain"],
    ["text/*", "text/plain"],
    ["application/x-ndjson, */*;q=0.1", "application/x-ndjson"],
    ["application/json;q=0.5, application/x-ndjson;q=0.8", "application/x-ndjson"],
    ["application/json;q=0, */*", "application/x-ndjson"],
    ["Text/Plain; charset=utf-8", "text/plain"],
    ["text/html", undefined],
    ["application/json;q=0", undefined],
  ];
  test.each(cases)("of %p is %p", (accept, expected) => {
    expect(preferredType(accept, offered)).toBe(expected as (typeof offered)[number] | undefined);
  });
});

describe("essence", () => {
  test("drops parameters, space and case", () => {
    expect(essence(" Text/Plain ; charset=UTF-8")).toBe("text/plain");
    expect(essence("application/json")).toBe("application/json");
  });
});
