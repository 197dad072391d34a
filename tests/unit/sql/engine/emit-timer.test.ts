import { describe, expect, test } from "bun:test";
import { EmitTimer } from "../../../../src/sql/engine/emit-timer.ts";

describe("EmitTimer", () => {
  test("is due at the end of the period in which the first row came", () => {
    const timer = new EmitTimer({ mode: "periodic", everyMs: 5_000 });
    expect(timer.dueAt).toBeUndefined();
    timer.noteRows(12_000);
    timer.noteRows(16_000);
    expect(timer.dueAt).toBe(15_000);
    timer.settle();
    expect(timer.dueAt).toBeUndefined();
  });

  test("knows after a restore what was waiting", () => {
    const timer = new EmitTimer({ mode: "periodic", everyMs: 5_000 });
    timer.noteRows(12_000);
    const bytes = timer.part("sink").save("full");
    const restored = new EmitTimer({ mode: "periodic", everyMs: 5_000 });
    restored.part("sink").restore([{ kind: "full", bytes }]);
    expect(restored.dueAt).toBe(15_000);
  });

  test("holds nothing back without a period", () => {
    const timer = new EmitTimer({ mode: "changes" });
    timer.noteRows(12_000);
    expect([timer.isPeriodic, timer.dueAt]).toEqual([false, undefined]);
  });
});
