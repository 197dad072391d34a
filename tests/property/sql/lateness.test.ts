import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  assignWindows,
  boundRows,
  countWindows,
  lateSplit,
} from "../../../src/sql/kernel/lateness.ts";
import type { GridSpec } from "../../../src/sql/plan/plan.ts";
import { createSqliteHost, tableOf } from "../../support/sqlite.ts";

const size = fc.integer({ min: 1, max: 12 });
const offsetMs = fc.integer({ min: -15, max: 15 });

const windows: fc.Arbitrary<GridSpec> = fc.oneof(
  fc.record({ kind: fc.constant("tumble" as const), sizeMs: size, offsetMs }),
  fc.record({ kind: fc.constant("hop" as const), slideMs: size, sizeMs: size, offsetMs }),
  fc
    .record({
      step: fc.integer({ min: 1, max: 4 }),
      times: fc.integer({ min: 1, max: 4 }),
      offsetMs,
    })
    .map(({ step, times, offsetMs: offset }) => ({
      kind: "cumulate" as const,
      stepMs: step,
      sizeMs: step * times,
      offsetMs: offset,
    })),
);

const times = fc.array(fc.integer({ min: -60, max: 60 }), { maxLength: 40, size: "max" });

/** All windows of a time by their definition: every place is tried. */
function windowsOf(window: GridSpec, time: number): [start: number, end: number][] {
  const found: [number, number][] = [];
  for (let start = -120; start <= 120; start++) {
    const period = window.kind === "hop" ? window.slideMs : window.sizeMs;
    if ((start - window.offsetMs) % period !== 0) continue;
    if (window.kind === "cumulate") {
      for (let end = start + window.stepMs; end <= start + window.sizeMs; end += window.stepMs) {
        if (start <= time && time < end) found.push([start, end]);
      }
    } else if (start <= time && time < start + window.sizeMs) {
      found.push([start, start + window.sizeMs]);
    }
  }
  return found;
}

const numbersAt = (memory: { readUint32(at: number): number }, at: number, count: number) =>
  Array.from({ length: count }, (_, index) => memory.readUint32(at + 4 * index));

describe("windows of rows", () => {
  test("are all that hold the time, by start and then by end", () => {
    const { host, memory } = setUp();
    const property = fc.property(windows, times, (window, all) => {
      const rows = all.map((time) => [BigInt(time)]);
      const table = tableOf(memory, ["integer"], rows);
      const expected = all.flatMap((time, row) =>
        windowsOf(window, time).map(([start, end]) => [row, start, end, end - 1]),
      );
      const given = { table, timeColumn: 0, window };
      const count = countWindows(host, given);
      expect(count).toBe(expected.length);
      const at = memory.allocate(28 * count + 28);
      const to = {
        rows: at,
        starts: at + 4 * count,
        ends: at + 12 * count,
        times: at + 20 * count,
      };
      expect(assignWindows(host, given, to)).toBe(count);
      const time = (base: number, index: number) =>
        Number(memory.view.getBigInt64(base + 8 * index, true));
      const found = numbersAt(memory, to.rows, count).map((row, index) => [
        row,
        time(to.starts, index),
        time(to.ends, index),
        time(to.times, index),
      ]);
      expect(found).toEqual(expected);
      memory.free(at);
    });
    fc.assert(property, { numRuns: 300, endOnFailure: true });
  });

  test("a row is late when all of them have ended, lateness added, by bound and watermark", () => {
    const { host, memory } = setUp();
    const bounds = fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 40, maxLength: 40 });
    const given = fc.record({
      window: windows.filter((each) => each.kind !== "hop" || each.slideMs <= each.sizeMs),
      times,
      bounds,
      watermarkMs: fc.constantFrom(-Infinity, -30, 0, 40, Infinity),
      allowedLatenessMs: fc.constantFrom(0, 7),
      hasBounds: fc.boolean(),
    });
    const property = fc.property(given, (each) => {
      const rows = each.times.map((time, row) => [BigInt(time), BigInt(each.bounds[row] ?? 0)]);
      const table = tableOf(memory, ["integer", "integer"], rows);
      const room = memory.allocate(8 * rows.length + 8);
      const late = room + 4 * rows.length;
      const { window, watermarkMs, allowedLatenessMs } = each;
      const { keptCount, lateCount } = lateSplit(host, {
        table,
        timeColumn: 0,
        window,
        watermarkMs,
        allowedLatenessMs,
        keep: room,
        late,
        ...(each.hasBounds ? { boundColumn: 1 } : {}),
      });
      const isLate = (time: number, row: number) => {
        const bound = each.hasBounds ? (each.bounds[row] ?? 0) : -Infinity;
        const ends = windowsOf(window, time).map(([, end]) => end);
        return Math.max(...ends) + allowedLatenessMs <= Math.max(bound, watermarkMs);
      };
      const indices = [...each.times.keys()];
      const expected = indices.filter((row) => isLate(each.times[row] ?? 0, row));
      expect(numbersAt(memory, late, lateCount)).toEqual(expected);
      const kept = indices.filter((row) => !expected.includes(row));
      expect(numbersAt(memory, room, keptCount)).toEqual(kept);
      memory.free(room);
    });
    fc.assert(property, { numRuns: 300, endOnFailure: true });
  });
});

test("bounds follow the greatest event time before each row, whatever the batches", () => {
  const { host, memory } = setUp();
  const given = fc.record({
    times: fc.array(fc.option(fc.integer({ min: -100, max: 100 }), { freq: 5 }), {
      maxLength: 40,
      size: "max",
    }),
    greatestMs: fc.option(fc.integer({ min: -50, max: 50 })),
    othersMs: fc.constantFrom(Infinity, 20, -40, -Infinity),
    delayMs: fc.constantFrom(0, 4),
    aheadMs: fc.option(fc.constantFrom(0, 10)),
    batch: fc.constantFrom(1, 7, 1000),
  });
  const least = -(2n ** 60n);
  const property = fc.property(given, (each) => {
    const publishedAtMs = 60;
    let greatest = each.greatestMs;
    let plain = each.greatestMs;
    for (let from = 0; from < each.times.length; from += each.batch) {
      const part = each.times.slice(from, from + each.batch);
      const rows = part.map((time) => [time === null ? null : BigInt(time)]);
      const table = tableOf(memory, ["integer"], rows);
      const bounds = memory.allocate(16 * rows.length);
      const good = bounds + 8 * rows.length;
      const bad = good + 4 * rows.length;
      const { othersMs, delayMs, aheadMs } = each;
      const given = { table, timeColumn: 0, greatestMs: greatest, othersMs, delayMs, aheadMs };
      const found = boundRows(host, { ...given, publishedAtMs, bounds, good, bad });
      let future = 0;
      for (const [row, time] of part.entries()) {
        const own = plain === null ? -Infinity : plain - delayMs;
        const bound = Math.min(own, othersMs);
        const got = memory.view.getBigInt64(bounds + 8 * row, true);
        if (bound === -Infinity) expect(got).toBeLessThanOrEqual(least);
        else expect(got).toBe(BigInt(bound));
        if (time === null) continue;
        if (aheadMs !== null && time > publishedAtMs + aheadMs) future++;
        else plain = Math.max(plain ?? -Infinity, time);
      }
      const indices = [...part.keys()];
      const isGood = (row: number) => part[row] !== null;
      expect(numbersAt(memory, good, found.goodCount)).toEqual(indices.filter(isGood));
      const isBad = (row: number) => !isGood(row);
      expect(numbersAt(memory, bad, found.badCount)).toEqual(indices.filter(isBad));
      expect(found.futureCount).toBe(future);
      greatest = found.greatestMs;
      expect(greatest).toBe(plain);
      memory.free(bounds);
    }
  });
  fc.assert(property, { numRuns: 300, endOnFailure: true });
});

function setUp() {
  const host = createSqliteHost();
  return { host, memory: host.memory };
}
