import { describe, expect, test } from "bun:test";
import { RowError } from "../../../../src/sql/functions/row-error.ts";
import { formatPattern, parsePattern } from "../../../../src/sql/functions/time-pattern.ts";

const wall = Date.UTC(2026, 4, 6, 13, 2, 3, 45);

describe("time patterns", () => {
  test("write each of their letters", () => {
    expect(formatPattern("yyyy-MM-dd'T'HH:mm:ss.SSS", wall)).toBe("2026-05-06T13:02:03.045");
    expect(formatPattern("yy M d h a K k D Q", wall)).toBe("26 5 6 1 PM 1 13 126 2");
    expect(formatPattern("EEE EEEE MMM MMMM ''", wall)).toBe("Wed Wednesday May May '");
  });

  test("read what they write", () => {
    for (const pattern of [
      "yyyy-MM-dd HH:mm:ss.SSS",
      "yyyyMMddHHmmssSSS",
      "dd MMM yyyy hh:mm:ss.SSS a",
    ]) {
      expect(parsePattern(pattern, formatPattern(pattern, wall))).toBe(wall);
    }
  });

  test("do not read what is otherwise", () => {
    expect(parsePattern("yyyy-MM-dd", "2026-5-06")).toBeNull();
    expect(parsePattern("yyyy-MM-dd", "2026-02-30")).toBeNull();
    expect(parsePattern("yyyy-MM-dd", "2026-05-06 ")).toBeNull();
  });

  test("with letters that we do not know are refused", () => {
    expect(() => formatPattern("yyyy VV", wall)).toThrow(RowError);
  });
});
