import { describe, expect, test } from "bun:test";
import { patternProgram } from "../../../../src/sql/kernel/vector-pattern.ts";

describe("patternProgram", () => {
  test("begins with the text that each match has, and how far before it a match begins", () => {
    const program = patternProgram("(&|^)channel_id=([^&]*)", 2);
    const view = new DataView(program?.buffer as ArrayBuffer);
    const length = view.getUint32(0, true);
    const at = view.getUint32(4, true);
    expect(new TextDecoder().decode(program?.subarray(at, at + length))).toBe("channel_id=");
    expect(view.getInt32(8, true)).toBe(1);
  });

  test("a repetition before that text leaves open where a match begins", () => {
    const program = patternProgram("a*bc", 0);
    expect(new DataView(program?.buffer as ArrayBuffer).getInt32(8, true)).toBe(-1);
  });

  test("what is not simple, or is no pattern, is not covered", () => {
    const others = ["a*?", "(a)*", "a{2}", "(?=a)", "(?i)a", "\\b", "(a)\\1", "ä", "a(", "[^ä]"];
    for (const pattern of others) expect(patternProgram(pattern, 0)).toBeNull();
  });

  test("a group that the pattern has not is not covered", () => {
    expect(patternProgram("(a)", 1)).not.toBeNull();
    expect(patternProgram("(a)", 2)).toBeNull();
  });
});
