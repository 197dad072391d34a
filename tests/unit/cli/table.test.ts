import { describe, expect, test } from "bun:test";
import { harmless, type Output } from "../../../src/cli/io.ts";
import { renderFacts, renderTable } from "../../../src/cli/table.ts";

function output(columns: number, hasColour = false): Output {
  return { columns, hasColour, isTerminal: columns < 1000, write: async () => {} };
}

const titles = [{ title: "NAME" }, { title: "RECORDS", align: "right" }] as const;

describe("renderTable", () => {
  test("aligns text left and numbers right", () => {
    const text = renderTable(output(80), titles, [
      ["orders", 12],
      ["a", 1_000_000],
    ]);
    expect(text).toBe("NAME    RECORDS\norders       12\na       1000000\n");
  });

  test("cuts the widest text column so that lines fit", () => {
    const text = renderTable(output(24), titles, [["a-very-long-topic-name-indeed", 12]]);
    expect(text).toBe("NAME             RECORDS\na-very-long-to…       12\n");
    for (const line of text.trimEnd().split("\n")) expect(line.length).toBeLessThanOrEqual(24);
  });

  test("leaves lines whole where there is no terminal", () => {
    const name = "x".repeat(500);
    const text = renderTable(output(Number.POSITIVE_INFINITY), titles, [[name, 1]]);
    expect(text).toContain(name);
  });

  test("counts wide characters by their columns", () => {
    const text = renderTable(
      output(80),
      [{ title: "A" }, { title: "B" }],
      [
        ["水車", "x"],
        ["mill", "y"],
      ],
    );
    expect(text).toBe("A     B\n水車  x\nmill  y\n");
  });

  test("shows a missing value as a dash and control characters by their pictures", () => {
    const text = renderTable(
      output(80),
      [{ title: "A" }, { title: "B" }],
      [[null, "\u001b[2Jx\ny"]],
    );
    expect(text).toBe("A  B\n-  ␛[2Jx y\n");
  });

  test("styles the titles only where colour is wanted", () => {
    expect(renderTable(output(80, true), [{ title: "A" }], [])).toBe("\u001b[1mA\u001b[0m\n");
    expect(renderTable(output(80, false), [{ title: "A" }], [])).toBe("A\n");
  });
});

test("renderFacts puts values below each other", () => {
  expect(
    renderFacts(output(80), [
      ["id", 7],
      ["longer", "x"],
    ]),
  ).toBe("id      7\nlonger  x\n");
});

test("harmless keeps text, tabs and line feeds and shows what would steer a terminal", () => {
  expect(harmless("a\tb\nü 水")).toBe("a\tb\nü 水");
  expect(harmless("\u0007\u007f\u009b")).toBe("␇␡\ufffd");
});
