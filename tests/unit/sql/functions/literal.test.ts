import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { hostFunctions } from "../../../../src/sql/functions/catalog.ts";
import { sqlLiteral } from "../../../../src/sql/functions/literal.ts";
import { registerFunctions } from "../../../../src/sql/sqlite/functions.ts";
import { openSqlite } from "../../../support/sqlite.ts";

const database = openSqlite();
registerFunctions(database, hostFunctions);

function back(value: string | bigint | number | Uint8Array | null): unknown {
  return database.query(`SELECT ${sqlLiteral(value)}`)[0]?.[0];
}

describe("literals read back as themselves", () => {
  test("at the ends of what there is", () => {
    for (const value of [null, -(2n ** 63n), 2n ** 63n - 1n, -1n, 0n, "", "it's", "a\0b'", "😀"]) {
      expect(back(value)).toBe(value);
    }
    expect(back(new Uint8Array([0, 255]))).toEqual(new Uint8Array([0, 255]));
  });

  test("every double to its last bit", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(back(value)).toBe(value);
      }),
    );
    for (const value of [5e-324, 1.7976931348623157e308, 0.1, 1e22, 1e23, 123456789012345680]) {
      expect(back(value)).toBe(value);
      expect(back(-value)).toBe(-value);
    }
  });
});
