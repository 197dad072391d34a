/** JSON of all sorts for the decoder: what people write, what nobody should, and damage to both. */
import type { JsonColumn } from "../../src/sql/kernel/json-plan.ts";
import type { DataType } from "../../src/sql/types/data-type.ts";

/** A generator of numbers that gives the same ones for the same seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  of<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0];
  }

  chance(share: number): boolean {
    return this.next() < share;
  }
}

const text: DataType = { kind: "varchar", length: null };

function column(path: string, type: DataType, nullable = true): JsonColumn {
  return { path: path.split("."), type, nullable };
}

/** Every type, at several depths; one value taken by three columns, one whole and in part. */
export const sampleColumns: readonly JsonColumn[] = [
  column("event_type", { kind: "int" }),
  column("bid.auction", { kind: "bigint" }),
  column("bid.price", { kind: "bigint" }),
  column("bid.dateTime", { kind: "timestamp" }),
  column("bid.channel", text),
  column("bid.flag", { kind: "boolean" }),
  column("tiny", { kind: "tinyint" }),
  column("small", { kind: "smallint" }),
  column("real", { kind: "double" }),
  column("real", { kind: "float" }),
  column("real", text),
  column("amount", { kind: "decimal", precision: 10, scale: 2 }),
  column("wide", { kind: "decimal", precision: 38, scale: 10 }),
  column("bytes", { kind: "bytes" }),
  column("date", { kind: "date" }),
  column("time", { kind: "time" }),
  column("at", { kind: "timestampLtz" }),
  column("any", { kind: "json" }),
  column("row", { kind: "row", fields: [] }),
  column("row.inner.deep", { kind: "double" }),
  column("a name of more than sixteen bytes", { kind: "bigint" }),
];

const numbers = [
  "0",
  "-0",
  "1",
  "-1",
  "7",
  "127",
  "128",
  "-128",
  "-129",
  "32767",
  "32768",
  "-32769",
  "255",
  "2147483647",
  "2147483648",
  "-2147483648",
  "12345678",
  "123456789",
  "1234567890123456",
  "12345678901234567",
  "9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "-9223372036854775809",
  "99999999999999999999999999999999999999",
  "1e38",
  "1.0",
  "1.5",
  "-2.50",
  "1e3",
  "1E+2",
  "1e-2",
  "15e-1",
  "120e-1",
  "0.005",
  "0.015",
  "-0.005",
  "99999999.994",
  "99999999.995",
  "123456.785",
  "1e400",
  "-1e400",
  "1e-400",
  "3.4e38",
  "3.5e38",
  "1e22",
  "1e23",
  "4.35",
  "0.1",
  "2.2250738585072011e-308",
  "5e-324",
  "1.7976931348623157e308",
  "1.7976931348623159e308",
  "9007199254740993.0",
  "0.30000000000000004",
  "123456789012345678.9",
  "1000000000000000000000.5",
  "0e999999999",
  "1767225600000",
  "-62167219200000",
  "-62167219200001",
  "253402300799999",
  "253402300800000",
  "1e99999999999",
  "1e-99999999999",
  "0.00000000000000000000000000000000000000000000001",
] as const;

const strings = [
  "",
  "a",
  "Google",
  'q"uote',
  "back\\slash",
  "é漢😀",
  "line\nbreak",
  "\u0001",
  "x".repeat(15),
  "x".repeat(16),
  "x".repeat(17),
  "y".repeat(90),
  "{[]}:,",
  "\ud800",
  "\udc00\ud800",
  " 5 ",
  "5",
  "+5",
  "007",
  "5.",
  ".5",
  "1e2",
  "5 5",
  "0x5",
  "NaN",
  "Infinity",
  "1_0",
  "true",
  " FALSE",
  "tru",
  "aGVsbG8=",
  "aGVsbG8",
  "aGk=",
  "+/+/",
  "====",
  "aG=k",
  "2026-01-31",
  "2024-02-29",
  "2023-02-29",
  "2026-01-01 00:00:10.000",
  "2026-01-01T00:00:10.5Z",
  "2026-01-01 00:00:10",
  "2026-13-01 00:00",
  "2026-01-01 00:00:60.000",
  "2026-01-01 24:00:00.000",
  "2026-01-01 00:00:10.123456789",
  "2026-01-01 00:00:10.1234567890",
  "2026-01-01t23:59:59.999+05:30",
  "1969-12-31 23:59:59.999",
  "2026-01-01 00:00+02",
  "2026-01-01 00:00-18:00",
  "2026-01-01 00:00+19:00",
  "0000-01-01 00:00",
  "0000-01-01 00:00+01:00",
  "9999-12-31 23:59:59.999Z",
  "9999-12-31 23:59:59.999-00:01",
  "23:59:59.999",
  "24:00:00",
  "12:34",
  "12:34:5",
  "12:34:56.",
  "12:34:56.7",
  "2026-01-01 00:00:10.1Z",
  "2026-01-01 00:00:10.000Z",
  "2026-01-01 00:00:10.000z",
  "2026-01-01 00:00:10.00Z",
] as const;

const keys: Names = [
  "bidder",
  ...new Set(sampleColumns.flatMap(({ path }) => path)),
  "bidder",
  "extra",
  "pri",
  "",
  "event_typ",
  "__proto__",
  "a name of more than sixteen byteS",
];

/** White space where JSON allows some, seldom any. */
function space(dice: Dice): string {
  return dice.chance(0.05) ? dice.of([" ", "\t", "\r\n", "  "]) : "";
}

/** A string of JSON, some characters as escapes that nobody needs. */
export function quoted(dice: Dice, value: string): string {
  const json = JSON.stringify(value);
  if (!dice.chance(0.15) || json.includes("\\")) return json;
  const asEscape = (each: string) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return json.replace(/[a-z0-9]/g, (each) => (dice.chance(0.3) ? asEscape(each) : each));
}

function number(dice: Dice): string {
  if (dice.chance(0.5)) return dice.of(numbers);
  if (dice.chance(0.5)) return String(dice.below(10 ** dice.below(10)));
  return String((dice.next() - 0.5) * 10 ** (dice.below(60) - 30));
}

function value(dice: Dice, depth: number): string {
  switch (dice.below(depth > 3 ? 6 : 8)) {
    case 0:
      return dice.of(["null", "true", "false"]);
    case 1:
    case 2:
      return number(dice);
    case 3:
      return `"${number(dice)}"`;
    case 4:
    case 5:
      return quoted(dice, dice.of(strings));
    case 6: {
      const items = Array.from({ length: dice.below(4) }, () => value(dice, depth + 1));
      return `[${items.map((each) => space(dice) + each + space(dice)).join(",")}]`;
    }
    default:
      return randomObject(dice, depth + 1);
  }
}

export type Names = [string, ...string[]];

/** Some of the columns, one in four of them NOT NULL. */
export function someColumns(dice: Dice): JsonColumn[] {
  const count = 1 + dice.below(4);
  const picked = sampleColumns.toSorted(() => dice.next() - 0.5).slice(0, count);
  return picked.map((each) => ({ ...each, nullable: !dice.chance(0.25) }));
}

/** An object of keys that mean something to the columns, and of others. */
export function randomObject(dice: Dice, depth = 0, wanted: Names = keys): string {
  const members = Array.from({ length: dice.below(7) }, () => {
    const key = quoted(dice, dice.of(dice.chance(0.5) ? keys : wanted));
    return `${space(dice)}${key}${space(dice)}:${space(dice)}${value(dice, depth)}${space(dice)}`;
  });
  return `{${members.join(",") || space(dice)}}`;
}

/** A value that fits its column, mostly. */
function fitting(dice: Dice, type: DataType): string {
  if (dice.chance(0.003)) return value(dice, 2);
  switch (type.kind) {
    case "tinyint":
      return String(dice.below(256) - 128);
    case "smallint":
      return String(dice.below(65_536) - 32_768);
    case "double":
    case "decimal":
      return String(Math.round((dice.next() - 0.5) * 1e6) / 100);
    case "boolean":
      return dice.of(["true", "false"]);
    case "bytes":
      return quoted(dice, btoa(String(dice.below(1e6))));
    case "date":
      return `"20${10 + dice.below(90)}-0${1 + dice.below(9)}-1${dice.below(10)}"`;
    case "time":
      return `"1${dice.below(10)}:0${dice.below(10)}:2${dice.below(10)}"`;
    case "timestamp":
    case "timestampLtz": {
      const clock = `0${dice.below(3)}:0${dice.below(2)}:1${dice.below(10)}`;
      const fraction = String(dice.below(1000)).padStart(3, "0");
      return `"2026-01-01${dice.of([" ", "T"])}${clock}.${fraction}${dice.of(["", "", "Z"])}"`;
    }
    case "json":
      return value(dice, 2);
    case "varchar":
      return quoted(dice, dice.of(strings));
    default:
      return String(dice.below(10 ** (1 + dice.below(9))));
  }
}

/**
 * An event as a program writes it: one shape of the kind `kind`, with optional fields. Two out of
 * three kinds keep their order of keys.
 */
export function shapedObject(dice: Dice, kind: number): string {
  const bid = sampleColumns.slice(1, 6).map(({ path, type }) => [path[1] ?? "", type] as const);
  // Of columns that take the same value the first one's type: a number is a text, too.
  const flat = sampleColumns
    .slice(6, 18)
    .toReversed()
    .map(({ path, type }) => [path[0] ?? "", type] as const);
  const member = ([name, type]: readonly [string, DataType]) =>
    `${JSON.stringify(name)}:${fitting(dice, type)}`;
  const taken = <Item>(items: readonly Item[]) =>
    items.filter((_, index) => (kind >> (index % 5)) % 2 === 0 || dice.chance(0.3));
  const parts = [
    `"event_type":${dice.below(3)}`,
    `"person":${dice.chance(0.5) ? "null" : `{"id":${dice.below(99)},"name":"x y"}`}`,
    dice.chance(0.1) ? '"bid":null' : `"bid":{${taken(bid).map(member).join(",")}}`,
    ...taken(new Map(flat).entries().toArray()).map(member),
  ];
  if (kind % 3 === 2) parts.sort(() => dice.next() - 0.5);
  return `{${parts.join(",")}}`;
}

/** The bytes with one of them changed, left out or put in, or with their end cut off. */
export function damaged(dice: Dice, bytes: Uint8Array): Uint8Array {
  const at = dice.below(bytes.length);
  const byte = dice.chance(0.2)
    ? dice.below(256)
    : dice.of(['{}[]",:\\0e.-nt \t\n']).charCodeAt(dice.below(17));
  const put = dice.of([[], [byte], [byte], [bytes[at] ?? 0, byte]]);
  const rest = dice.chance(0.2) ? [] : bytes.subarray(at + 1);
  return new Uint8Array([...bytes.subarray(0, at), ...put, ...rest]);
}
