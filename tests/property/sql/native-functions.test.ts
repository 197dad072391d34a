/** Functions that have a native twin: it gives what the plain one gives, and fails where it fails. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isStreamError } from "../../../src/base/stream-error.ts";
import { hostFunctions } from "../../../src/sql/functions/catalog.ts";
import { timeUnits } from "../../../src/sql/functions/time-fields.ts";
import type { SqlValue } from "../../../src/sql/plan/scalar.ts";
import { nativeFunctionNames, registerFunctions } from "../../../src/sql/sqlite/functions.ts";
import { decimalValue } from "../../../src/sql/types/decimal.ts";
import { timestampMax, timestampMin } from "../../../src/sql/types/time-text.ts";
import { openSqlite } from "../../support/sqlite.ts";

const native = openSqlite();
registerFunctions(native, hostFunctions);
const plain = openSqlite();
registerFunctions(plain, hostFunctions, { isNative: false });

const edges = [
  0n,
  1n,
  -1n,
  127n,
  128n,
  -128n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const integer = fc.oneof(
  fc.constantFrom(...edges),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -100n, max: 100n }),
);
const real = fc.double({ noNaN: true, noDefaultInfinity: true });
const word = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.stringMatching(/^[abA/ ]{0,12}$/),
);
const small = fc.bigInt({ min: -2n, max: 8n });
const wall = fc.bigInt({ min: BigInt(timestampMin), max: BigInt(timestampMax) });
const unit = fc.bigInt({ min: 0n, max: BigInt(timeUnits.length - 1) });
const scale = fc.bigInt({ min: 0n, max: 12n });
const precision = fc.bigInt({ min: 12n, max: 38n });
const decimal = fc
  .tuple(
    fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
    fc.integer({ min: 0, max: 37 }),
  )
  .map(([value, digits]) => value / 10n ** BigInt(digits))
  .chain((value) =>
    fc.constantFrom<SqlValue>(
      decimalValue(value, 38),
      value > -(2n ** 63n) && value < 2n ** 63n ? value : decimalValue(value, 38),
    ),
  );
const pattern = fc.constantFrom(
  "yyyy-MM-dd",
  "HH:mm",
  "yyyyMMdd HH:mm:ss.SSS",
  "yy/M/d",
  "'q'yyyy",
  "a h",
);

type Arguments = fc.Arbitrary<SqlValue[]>;

const binaryDecimal: Arguments = fc.tuple(decimal, scale, decimal, scale, precision, scale);
const argumentsOf: Readonly<Record<string, Arguments>> = {
  mr_i8: fc.tuple(integer),
  mr_i16: fc.tuple(integer),
  mr_i32: fc.tuple(integer),
  mr_add: fc.tuple(integer, integer),
  mr_sub: fc.tuple(integer, integer),
  mr_mul: fc.tuple(integer, integer),
  mr_div: fc.tuple(integer, integer),
  mr_mod: fc.tuple(integer, integer),
  mr_finite: fc.tuple(real),
  mr_f32: fc.tuple(real),
  mr_div_real: fc.tuple(real, real),
  mr_real: fc.tuple(
    real.map((value) => new BigInt64Array(new Float64Array([value]).buffer)[0] ?? 0n),
  ),
  mr_dec_add: binaryDecimal,
  mr_dec_sub: binaryDecimal,
  mr_dec_mul: binaryDecimal,
  mr_dec_div: binaryDecimal,
  mr_dec_cast: fc.tuple(decimal, scale, precision, scale),
  mr_char_length: fc.tuple(word),
  mr_lower: fc.tuple(word),
  mr_upper: fc.tuple(word),
  mr_concat: fc.array(word, { minLength: 1, maxLength: 5 }),
  mr_startswith: fc.tuple(word, word),
  mr_endswith: fc.tuple(word, word),
  mr_split_index: fc.tuple(word, fc.oneof(fc.constant("/"), word), small),
  mr_floor_to: fc.tuple(unit, wall),
  mr_extract: fc.tuple(unit, wall),
  mr_date_format: fc.tuple(wall, pattern),
};

/** A value, or that there is none. */
function outcome(database: typeof native, name: string, args: readonly SqlValue[]): unknown {
  const marks = args.map(() => "?").join(", ");
  try {
    return database.query(`SELECT ${name}(${marks})`, ...args)[0]?.[0];
  } catch (error) {
    if (isStreamError(error, "sql_evaluation_failed")) return "failed";
    throw error;
  }
}

describe("native functions", () => {
  test("are all compared here", () => {
    expect(nativeFunctionNames.filter((name) => argumentsOf[name] === undefined)).toEqual([]);
  });

  for (const name of nativeFunctionNames) {
    test(`${name} is what it is in plain`, () => {
      fc.assert(
        fc.property(argumentsOf[name] ?? fc.constant([]), (args) => {
          expect(outcome(native, name, args)).toEqual(outcome(plain, name, args));
          const nulls = args.map((arg, index) => (index === 0 ? null : arg));
          expect(outcome(native, name, nulls)).toEqual(outcome(plain, name, nulls));
        }),
        { numRuns: 300 },
      );
    });
  }
});
