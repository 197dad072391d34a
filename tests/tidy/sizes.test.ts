import { describe, expect, test } from "bun:test";
import { sourceFiles } from "./source-files.ts";

const linesMax = 600;
const columnsMax = 100;

const files = ["src", "tests", "bench", "wasm", "deploy"].flatMap((folder) => sourceFiles(folder));

describe("sizes", () => {
  test(`no file is longer than ${linesMax} lines`, () => {
    const found = files.filter(({ lines }) => lines.length > linesMax).map(({ path }) => path);
    expect(found).toEqual([]);
  });

  test(`no line of src is longer than ${columnsMax} columns`, () => {
    const found = files
      .filter(({ path }) => path.startsWith("src/"))
      .flatMap(({ path, lines }) => lines.map((line, index) => ({ path, line, at: index + 1 })))
      .filter(({ line }) => line.length > columnsMax && !isUnbreakable(line))
      .map(({ path, at }) => `${path}:${at}`);
    expect(found).toEqual([]);
  });
});

/** A long literal or a row of a table in a comment cannot be folded without harm. */
function isUnbreakable(line: string): boolean {
  return /^\s*(\*\s*\||["'`]|import |export |\/\/ )/.test(line) || /https?:\/\//.test(line);
}
