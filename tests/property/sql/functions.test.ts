import { expect, test } from "bun:test";
import fc from "fast-check";
import type { SqlValue } from "../../../src/sql/plan/scalar.ts";
import {
  nativeFunctionNames,
  registerFunctions,
  type ScalarFunction,
} from "../../../src/sql/sqlite/functions.ts";
import { plainTwins } from "../../support/plain-twins.ts";
import { integerCell, realCell, textCell, wideCell } from "../../support/sql-rows.ts";
import { openSqlite, wideBlob } from "../../support/sqlite.ts";

const exactCell = fc.oneof(
  integerCell,
  fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }),
  wideCell.map(wideBlob),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(wideBlob),
);
const scale = fc.bigInt({ min: 0n, max: 20n });
const decimals = fc.tuple(
  exactCell,
  scale,
  exactCell,
  scale,
  fc.bigInt({ min: 1n, max: 38n }),
  scale,
);
const ascii = fc.string({ unit: "grapheme-ascii", maxLength: 30 });
const text = fc.oneof(textCell, ascii);
const parts = fc.array(fc.constantFrom("a", "/", "", "//", "é", "bc")).map((each) => each.join(""));
const time = fc.oneof(
  fc.bigInt({ min: -62_135_596_800_000n, max: 253_402_300_799_999n }),
  fc.bigInt({ min: -100_000_000n, max: 100_000_000n }),
);
const pattern = fc
  .array(
    fc.constantFrom("yyyy", "MM", "dd", "HH", "mm", "ss", "SSS", "-", " ", ":", "T", "M", "''"),
  )
  .map((each) => each.join(""));

const integers = fc.tuple(integerCell, integerCell);
const reals = fc.tuple(realCell, realCell);
const arguments_: Readonly<Record<string, fc.Arbitrary<readonly SqlValue[]>>> = {
  mr_i8: fc.tuple(fc.bigInt({ min: -200n, max: 200n })),
  mr_i16: fc.tuple(fc.bigInt({ min: -40_000n, max: 40_000n })),
  mr_i32: fc.tuple(integerCell),
  mr_add: integers,
  mr_sub: integers,
  mr_mul: integers,
  mr_div: integers,
  mr_mod: integers,
  mr_finite: fc.tuple(realCell),
  mr_f32: fc.tuple(realCell),
  mr_div_real: reals,
  mr_real: fc.tuple(integerCell),
  mr_dec_add: decimals,
  mr_dec_sub: decimals,
  mr_dec_mul: decimals,
  mr_dec_div: decimals,
  mr_dec_cast: fc.tuple(exactCell, scale, fc.bigInt({ min: 1n, max: 38n }), scale),
  mr_char_length: fc.tuple(text),
  mr_lower: fc.tuple(text),
  mr_upper: fc.tuple(text),
  mr_concat: fc.array(text, { minLength: 1, maxLength: 4 }),
  mr_startswith: fc.oneof(fc.tuple(parts, parts), fc.tuple(text, text)),
  mr_endswith: fc.oneof(fc.tuple(parts, parts), fc.tuple(text, text)),
  mr_split_index: fc.tuple(
    parts,
    fc.constantFrom("/", "//", "a", ""),
    fc.bigInt({ min: -1n, max: 4n }),
  ),
  mr_floor_to: fc.tuple(fc.bigInt({ min: 3n, max: 11n }), time),
  mr_extract: fc.tuple(fc.constantFrom(3n, 4n, 5n, 7n, 8n, 9n, 10n, 11n, 15n, 18n), time),
  mr_date_format: fc.tuple(time, pattern),
};

for (const name of nativeFunctionNames) {
  test(`${name} is in WebAssembly what it is in JavaScript`, () => {
    const plain = plainTwins[name];
    const given = arguments_[name];
    if (plain === undefined || given === undefined) throw new Error(`no twin of ${name}`);
    const database = openSqlite();
    const twin: ScalarFunction = { name, argumentCount: -1, call: plain };
    registerFunctions(database, [twin, { ...twin, name: "plain" }]);
    const withNull = fc
      .tuple(given, fc.nat({ max: 40 }))
      .map(([args, place]) => args.map((each, index) => (index === place ? null : each)));
    const outcome = (called: string, args: readonly SqlValue[]): unknown => {
      try {
        const marks = args.map(() => "?").join(", ");
        return database.query(`SELECT ${called}(${marks})`, ...args)[0]?.[0];
      } catch (error) {
        return String(error).replaceAll(called, "f");
      }
    };
    const property = fc.property(withNull, (args) => {
      expect(outcome(name, args)).toEqual(outcome("plain", args));
    });
    fc.assert(property, { numRuns: 150 });
  });
}
