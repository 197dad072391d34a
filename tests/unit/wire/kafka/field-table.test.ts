import { describe, expect, test } from "bun:test";
import {
  defineMessage,
  type FieldTable,
  int32,
  int64,
  string,
} from "../../../../src/wire/kafka/field-table.ts";

interface Sample {
  readonly name: string;
  readonly size?: number;
}

describe("FieldTable", () => {
  test("makes the compiler refuse a table that differs from its interface", () => {
    const right: FieldTable<Sample> = { name: string(), size: int64() };
    // @ts-expect-error size is missing
    const short: FieldTable<Sample> = { name: string() };
    // @ts-expect-error the interface has no such field
    const long: FieldTable<Sample> = { name: string(), size: int32(), more: int32() };
    // @ts-expect-error name is no number
    const mistyped: FieldTable<Sample> = { name: int32(), size: int32() };
    // @ts-expect-error the interface does not allow null
    const nullable: FieldTable<Sample> = { name: string({ nullableSince: 0 }), size: int32() };
    expect([right, short, long, mistyped, nullable].length).toBe(5);
  });
});

describe("defineMessage", () => {
  test("keeps the fields in the order of the wire", () => {
    const message = defineMessage<Sample>({
      name: "Sample",
      versions: { min: 0, max: 0 },
      fields: { size: int32(), name: string() },
    });
    expect(Object.keys(message.fields)).toEqual(["size", "name"]);
  });
});
