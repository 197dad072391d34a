/** Random rows of typed columns for property tests, with the values that break kernels. */
import fc from "fast-check";
import type { ValueKind } from "../../src/sql/types/data-type.ts";
import type { CellValue } from "./sqlite.ts";

const extremes = [0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const wideExtremes = [...extremes, 2n ** 64n, -(2n ** 64n), 2n ** 127n - 1n, -(2n ** 127n)];

export const integerCell = fc.oneof(
  fc.constantFrom(...extremes),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -1000n, max: 1000n }),
);

export const wideCell = fc.oneof(
  fc.constantFrom(...wideExtremes),
  fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n - 1n }),
);

export const realCell = fc.oneof(
  fc.double({ noNaN: true }),
  fc.constantFrom(0, -0, 0.1, 1e21, 5e-324, 1.7976931348623157e308, 123456789.123, -2.5),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((each) => each / 100),
);

export const textCell = fc.oneof(
  fc.constantFrom("", "\0", '"', "\\", "\n\r\t\b\f\u001f\u007f", "\u2028", "🚀é\ufeff"),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ maxLength: 20 }),
  fc.string({ minLength: 15, maxLength: 35 }),
);

export const blobCell = fc.uint8Array({ maxLength: 40 });

const cells: Readonly<Record<ValueKind, fc.Arbitrary<CellValue>>> = {
  integer: integerCell,
  real: realCell,
  text: textCell,
  blob: blobCell,
  wide: wideCell,
};

/** Columns of random kinds with random rows, NULLs among them. */
export const typedRows = fc
  .array(fc.constantFrom<ValueKind>("integer", "real", "text", "blob", "wide"), {
    minLength: 1,
    maxLength: 6,
  })
  .chain((kinds) =>
    fc.record({
      kinds: fc.constant(kinds),
      rows: fc.array(fc.tuple(...kinds.map((kind) => fc.option(cells[kind], { freq: 4 }))), {
        maxLength: 50,
      }),
    }),
  );
