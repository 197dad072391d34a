import { describe, expect, test } from "bun:test";
import { parseJsonPath, selectJson } from "../../../../src/sql/functions/json-path.ts";
import { formatJson, parseJson } from "../../../../src/sql/functions/json-text.ts";
import { RowError } from "../../../../src/sql/functions/row-error.ts";

const root = parseJson('{"a":{"b c":[1,2,{"d":3}]},"l":[{"x":1},{"x":2}]}');

function select(path: string): string[] {
  return selectJson(parseJsonPath(path), root).map(formatJson);
}

describe("JSON paths", () => {
  test("lead to members and items", () => {
    expect(select("$.a['b c'][2].d")).toEqual(["3"]);
    expect(select('lax $.a["b c"][0]')).toEqual(["1"]);
    expect(select("$.l[*].x")).toEqual(["1", "2"]);
    expect(select('$.["a"].["b c"][1]')).toEqual(["2"]);
    expect(select("$.a.*")).toEqual(['[1,2,{"d":3}]']);
  });

  test("open lists when they are lax, and fail when they are strict", () => {
    expect(select("lax $.l.x")).toEqual(["1", "2"]);
    expect(select("lax $.nowhere.x")).toEqual([]);
    expect(() => select("strict $.l.x")).toThrow();
    expect(() => select("$.nowhere")).toThrow();
  });

  test("that are none are refused", () => {
    for (const path of ["a", "$.", "$[", "$.a[-1]", "$..a"]) {
      expect(() => parseJsonPath(path)).toThrow(RowError);
    }
  });
});
