import { describe, expect, test } from "bun:test";
import type { Scalar } from "../../../../src/sql/plan/scalar.ts";
import {
  columnsOf,
  conjunction,
  conjunctsOf,
  moveColumns,
  scalarKey,
  substitute,
} from "../../../../src/sql/plan/scalar-walk.ts";

const column = (index: number): Scalar => ({
  kind: "column",
  index,
  type: { kind: "boolean" },
  nullable: true,
});

const call = (name: string, ...args: Scalar[]): Scalar => ({
  kind: "call",
  name,
  args,
  type: { kind: "boolean" },
  nullable: true,
});

const chosen: Scalar = {
  kind: "case",
  branches: [{ when: column(1), result: column(2) }],
  otherwise: { kind: "cast", input: column(3), type: { kind: "int" }, nullable: true, isTry: true },
  type: { kind: "int" },
  nullable: true,
};

describe("walks over scalars", () => {
  test("find columns in every part", () => {
    expect([...columnsOf(call("and", column(0), chosen))]).toEqual([0, 1, 2, 3]);
  });

  test("move and replace columns everywhere, and nothing else", () => {
    expect([...columnsOf(moveColumns(chosen, (index) => index + 10))]).toEqual([11, 12, 13]);
    const replaced = substitute(call("not", column(1)), [column(7), call("isNull", column(9))]);
    expect(replaced).toEqual(call("not", call("isNull", column(9))));
  });

  test("take conjunctions apart and put them together", () => {
    const parts = [column(0), column(1), column(2)];
    expect(conjunctsOf(call("and", column(0), call("and", column(1), column(2))))).toEqual(parts);
    expect(conjunctsOf(conjunction(parts) ?? column(9))).toEqual(parts);
    expect(conjunction([])).toBeNull();
    expect(conjunction([column(4)])).toEqual(column(4));
  });

  test("tell scalars apart by value, bigints and bytes too", () => {
    const literal = (value: bigint | Uint8Array): Scalar => ({
      kind: "literal",
      value,
      type: { kind: "bytes" },
    });
    expect(scalarKey(literal(1n))).not.toBe(scalarKey(literal(2n)));
    expect(scalarKey(literal(new Uint8Array([1])))).not.toBe(
      scalarKey(literal(new Uint8Array([2]))),
    );
    expect(scalarKey(call("not", column(1)))).toBe(scalarKey(call("not", column(1))));
  });
});
