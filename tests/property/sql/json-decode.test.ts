import { expect, test } from "bun:test";
import type { JsonColumn } from "../../../src/sql/kernel/json-plan.ts";
import { type Cell, referenceDecode } from "../../support/json-reference.ts";
import type { DecodedJson } from "../../support/json-rows.ts";
import { JsonRowReader } from "../../support/json-rows.ts";
import {
  Dice,
  damaged,
  type Names,
  randomObject,
  sampleColumns,
  shapedObject,
  someColumns,
} from "../../support/json-samples.ts";
import { createSqliteHost } from "../../support/sqlite.ts";

const encoder = new TextEncoder();

/** Compares what a row was decoded to with the reference; gives what differs, or undefined. */
function difference(
  bytes: Uint8Array,
  columns: readonly JsonColumn[],
  row: number,
  got: DecodedJson,
): string | undefined {
  const cells = referenceDecode(bytes, columns);
  const decoded = got.rows[row];
  const error = got.errors.find((each) => each.row === row);
  const shown = new TextDecoder().decode(bytes).slice(0, 300);
  const wrong = cells?.filter((each) => "fault" in each) ?? [];
  if (cells === undefined || wrong.length > 0) {
    if (decoded !== undefined || error === undefined) return `accepted ${shown}`;
    if ((error.column === null) !== (cells === undefined))
      return `blames ${error.column}: ${shown}`;
    const cell = cells?.[error.column ?? -1];
    const isRight = cell === undefined || ("fault" in cell && cell.fault === error.fault);
    return isRight ? undefined : `says ${error.fault}, not ${JSON.stringify(cell)}: ${shown}`;
  }
  if (decoded === undefined || decoded === null) {
    return `refused with ${error?.fault} in ${error?.column} at ${error?.position}: ${shown}`;
  }
  const unlike = cells.findIndex((cell, index) => !isSame(cell, decoded[index]));
  if (unlike < 0) return undefined;
  return `column ${unlike} is ${decoded[unlike]}, not ${JSON.stringify(cells[unlike], text)}: ${shown}`;
}

function text(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}

function isSame(cell: Cell, got: unknown): boolean {
  if ("fault" in cell) return false;
  const { value } = cell;
  if (typeof value !== "object" || value === null) return Object.is(value, got);
  if (value instanceof Uint8Array) return Bun.deepEquals(value, got, true);
  if (typeof got !== "string") return false;
  const numbers = (_key: string, each: unknown, context?: { source?: string }) =>
    typeof each === "number" ? { text: context?.source } : each;
  return JSON.stringify(JSON.parse(got, numbers)) === JSON.stringify(value.json);
}

interface Comparison {
  readonly differences: readonly string[];
  readonly right: number;
  readonly hits: number;
}

/** Decodes in batches of changing size, with the graph and without, and compares all three. */
function compare(
  rows: readonly Uint8Array[],
  dice: Dice,
  columns: readonly JsonColumn[] = sampleColumns,
): Comparison {
  const host = createSqliteHost();
  const shaped = new JsonRowReader(host, columns);
  const generic = new JsonRowReader(host, columns, true);
  const found: string[] = [];
  let right = 0;
  for (let start = 0; start < rows.length; ) {
    const batch = rows.slice(start, start + 1 + dice.below(400));
    const got = shaped.decode(batch);
    const other = generic.decode(batch);
    if (!Bun.deepEquals(got, other, true)) found.push(`shape and generic differ from ${start} on`);
    for (const [row, bytes] of batch.entries()) {
      const what = difference(bytes, columns, row, got);
      if (what !== undefined) found.push(what);
    }
    right += batch.length - got.errors.length;
    start += batch.length;
  }
  return { differences: found.slice(0, 10), right, hits: shaped.decoder.shapes.hits };
}

test("any object decodes as JSON.parse and plain JavaScript have it", () => {
  const dice = new Dice(20_260_101);
  let right = 0;
  for (let round = 0; round < 60; round++) {
    const columns = someColumns(dice);
    const names = [...new Set(columns.flatMap(({ path }) => path))] as Names;
    const rows = Array.from({ length: 200 }, () =>
      encoder.encode(randomObject(dice, 0, names).toWellFormed()),
    );
    const result = compare(rows, dice, columns);
    expect(result.differences).toEqual([]);
    right += result.right;
  }
  expect(right).toBeGreaterThan(2500);
});

test("rows of shapes that come, change and mix decode alike, and mostly by the graph", () => {
  const dice = new Dice(7);
  const rows = Array.from({ length: 8000 }, (_, index) =>
    encoder.encode(shapedObject(dice, Math.floor(index / 1000) * 3 + dice.below(3)).toWellFormed()),
  );
  const result = compare(rows, dice);
  expect(result.differences).toEqual([]);
  expect(result.right).toBeGreaterThan(7000);
  expect(result.hits).toBeGreaterThan(4000);
});

test("rows that follow one track side by side, and rows that leave it anywhere, decode alike", () => {
  const dice = new Dice(13);
  for (const kind of [0, 1, 2]) {
    const rows = Array.from({ length: 4000 }, () => {
      const row = (of: number) => encoder.encode(shapedObject(dice, of).toWellFormed());
      if (dice.chance(0.9)) return row(kind);
      return dice.chance(0.5) ? row(dice.below(6)) : damaged(dice, row(kind));
    });
    const result = compare(rows, dice);
    expect(result.differences).toEqual([]);
    expect(result.hits).toBeGreaterThan(2500);
  }
});

test("keys that come twice in rows whose pieces the graph knows: the last value counts", () => {
  const dice = new Dice(11);
  const columns = ["a", "b", "o.x", "o.y"].map((path) => ({
    path: path.split("."),
    type: { kind: "int" } as const,
    nullable: true,
  }));
  const rows = Array.from({ length: 6000 }, () => {
    const inner = () => (dice.chance(0.3) ? [] : ["x", "y"].filter(() => dice.chance(0.7)));
    const members = ["a", "o", "z", "b"].filter(() => dice.chance(0.7));
    if (dice.chance(0.1)) members.push(dice.of(["a", "o", "b"]));
    const texts = members.map((name) => {
      const fields = inner().map((each) => `"${each}":${dice.below(9)}`);
      return name === "o" ? `"o":{${fields.join(",")}}` : `"${name}":${dice.below(9)}`;
    });
    return encoder.encode(`{${texts.join(",")}}`);
  });
  const result = compare(rows, dice, columns);
  expect(result.differences).toEqual([]);
  expect(result.hits).toBeGreaterThan(4000);
});

test("damaged rows are told from whole ones", () => {
  const dice = new Dice(99);
  const rows = Array.from({ length: 8000 }, (_, index) => {
    const row = index % 2 === 0 ? shapedObject(dice, index % 7) : randomObject(dice);
    const bytes = encoder.encode(row.toWellFormed());
    return dice.chance(0.7) ? damaged(dice, bytes) : bytes;
  });
  expect(compare(rows, dice).differences).toEqual([]);
});

test("one document with each byte changed to others, and cut at each", () => {
  const dice = new Dice(5);
  const document =
    '{"event_type":2,"x":[1,{"y":"z"}],"bid":{"auction":12,"price":1.5e1,"channel":"a\\u00e9ü",' +
    '"dateTime":"2026-01-01 00:00:10.000"},"real":1e23,"wide":"1.5","bytes":"aGk="}';
  const bytes = encoder.encode(document);
  const rows = [bytes];
  for (const at of bytes.keys()) {
    rows.push(bytes.subarray(0, at), bytes.subarray(at));
    for (const other of '{}[]",:\\0 \n\u0000'.split("").map((each) => each.charCodeAt(0))) {
      const changed = bytes.slice();
      changed[at] = other;
      // Between whole ones, so that the graph knows the shape.
      rows.push(changed, bytes);
    }
    const changed = bytes.slice();
    changed[at] = 0x80 | at;
    rows.push(changed);
  }
  expect(compare(rows, dice).differences).toEqual([]);
});
