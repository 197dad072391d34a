import { describe, expect, test } from "bun:test";
import { decodeRecords } from "../../../../src/record/batch-records.ts";
import { SideOutput } from "../../../../src/sql/engine/side-output.ts";
import type { OutputBatch } from "../../../../src/sql/engine/task-output.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

const bytesMax = 20_000;

function outputOf(values: readonly Uint8Array[], reason = "Wrong") {
  const batches: OutputBatch[] = [];
  const platform = createVirtualPlatform({ seed: 1 });
  const side = new SideOutput(platform, {
    batchBytesMax: bytesMax,
    onBatch: (batch) => batches.push(batch),
  });
  for (const [offset, value] of values.entries()) {
    side.add("error", { origin: { topic: "t", partition: 0, offset, value }, reason }, 0);
  }
  side.flush();
  const rows = batches.flatMap(({ bytes }) =>
    [...decodeRecords(bytes, { codecs: platform.codecs, sizeMax: 1e9 })].map(
      ({ value }) => JSON.parse(new TextDecoder().decode(value ?? new Uint8Array())) as SideRow,
    ),
  );
  return { rows, sizes: batches.map(({ bytes }) => bytes.length) };
}

interface SideRow {
  readonly offset: number;
  readonly reason: string;
  readonly value?: string;
  readonly valueBase64?: string;
  readonly valueBytes?: number;
}

const text = (value: string) => new TextEncoder().encode(value);

describe("SideOutput", () => {
  test("keeps each batch within max.message.bytes of its topic", () => {
    const { rows, sizes } = outputOf(Array.from({ length: 50 }, () => text("x".repeat(3_000))));
    expect(rows.map(({ value }) => value?.length)).toEqual(Array(50).fill(3_000));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(bytesMax);
    expect(sizes.length).toBeGreaterThan(1);
  });

  test("cuts a value that is too large and tells how long it was", () => {
    for (const [letter, name] of [
      ["y", "value"],
      ["\u0001", "value"],
      ["é", "value"],
    ] as const) {
      const value = text(letter.repeat(100_000));
      const { rows, sizes } = outputOf([value, text("next")]);
      expect(rows[0]?.valueBytes).toBe(value.length);
      const kept = rows[0]?.[name] ?? "";
      expect(kept).toBe(letter.repeat(kept.length));
      expect(kept.length).toBeGreaterThan(500);
      expect(rows[1]).toMatchObject({ offset: 1, value: "next" });
      expect(Math.max(...sizes)).toBeLessThanOrEqual(bytesMax);
    }
  });

  test("cuts bytes that are no text, and a reason that quotes a long value", () => {
    const { rows, sizes } = outputOf([new Uint8Array(100_000).fill(0xff)], "z".repeat(100_000));
    expect(rows[0]?.valueBytes).toBe(100_000);
    expect(Uint8Array.fromBase64(rows[0]?.valueBase64 ?? "")[0]).toBe(0xff);
    expect(rows[0]?.reason).toMatch(/^z+…$/);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(bytesMax);
  });
});
