import { describe, expect, test } from "bun:test";
import { shareMemory, VectorCode } from "../../../../src/sql/kernel/vector-code.ts";

describe("VectorCode", () => {
  test("what an attempt added is gone when it throws, and can be made again", () => {
    const code = new VectorCode();
    const a = code.once("a", () => code.input(0, "integer"));
    const failing = () =>
      code.attempt(() => {
        code.once("b", () => code.emit("negateTruth", "integer", { a }));
        throw new Error("no");
      });
    expect(failing).toThrow("no");
    expect([code.registers.length, code.instructions.length]).toEqual([1, 0]);
    expect(code.once("b", () => 17)).toBe(17);
    expect(code.once("a", () => 18)).toBe(a);
  });
});

describe("shareMemory", () => {
  test("registers share memory once the first is read for the last time, save those kept", () => {
    const code = new VectorCode();
    const a = code.input(0, "integer");
    const emit = (from: number) => code.emit("negateTruth", "integer", { a: from });
    const first = emit(a);
    const second = emit(first);
    const third = emit(second);
    const memory = shareMemory(code, new Set([third]));
    expect(memory.get(third)).toBe(memory.get(first) as number);
    expect(memory.get(second)).not.toBe(memory.get(first) as number);
    const kept = shareMemory(code, new Set([first, third]));
    expect(new Set([first, second, third].map((each) => kept.get(each))).size).toBe(3);
  });

  test("wide registers share with wide ones only", () => {
    const code = new VectorCode();
    const a = code.input(0, "integer");
    const wide = code.emit("castDecimal", "wide", { a });
    const narrow = code.emit("castInteger", "integer", { a: wide });
    const next = code.emit("negateTruth", "integer", { a: narrow });
    const memory = shareMemory(code, new Set([next]));
    expect(new Set(memory.values()).size).toBe(3);
  });
});
