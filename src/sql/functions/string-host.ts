/** What the string functions do. */
import { flag, type HostFunction, hosted, integer, number, strict, text } from "./host-function.ts";
import { RowError } from "./row-error.ts";

/** A result longer than this is an error: REPEAT and LPAD could ask for any length. */
const resultLengthMax = 16 * 1024 * 1024;

function bounded(length: number): void {
  if (length > resultLengthMax) {
    throw new RowError(`A text of ${length} characters is over the limit of ${resultLengthMax}`);
  }
}

/** Code points; most texts have one per UTF-16 unit and need no array. */
function isPlain(value: string): boolean {
  return !/[\uD800-\uDFFF]/.test(value);
}

function characterCount(value: string): number {
  return isPlain(value) ? value.length : [...value].length;
}

/** By code points, end exclusive. */
function slice(value: string, start: number, end: number): string {
  if (isPlain(value)) return value.slice(start, Math.max(start, end));
  return [...value].slice(start, Math.max(start, end)).join("");
}

function substring(value: string, start: number, length: number | null): string | null {
  if (length !== null && length < 0) return null;
  const count = characterCount(value);
  const first = start > 0 ? start - 1 : start < 0 ? count + start : 0;
  if (first < 0 || first >= count) return "";
  return slice(value, first, length === null ? count : Math.min(count, first + length));
}

/** Position of the occurrence, from 1; 0: none. A negative start searches backwards. */
function find(value: string, part: string, start: number, occurrence: number): number {
  if (occurrence < 1) return 0;
  const plain = isPlain(value);
  const toCharacter = (unit: number) => (plain ? unit : [...value.slice(0, unit)].length);
  if (start === 0) return 0;
  if (part === "") return 1;
  const count = characterCount(value);
  if (start > 0) {
    let unit = plain ? start - 1 : [...value].slice(0, start - 1).join("").length;
    for (let time = 1; ; time++) {
      unit = value.indexOf(part, unit);
      if (unit < 0) return 0;
      if (time === occurrence) return toCharacter(unit) + 1;
      unit += 1;
    }
  }
  const from = count + start;
  let unit = plain ? from : [...value].slice(0, Math.max(0, from)).join("").length;
  for (let time = 1; ; time++) {
    if (unit < 0 || from < 0) return 0;
    unit = value.lastIndexOf(part, unit);
    if (unit < 0) return 0;
    if (time === occurrence) return toCharacter(unit) + 1;
    unit -= 1;
  }
}

function trim(value: string, characters: string, side: "both" | "left" | "right"): string {
  const all = [...value];
  const set = new Set(characters);
  let start = 0;
  let end = all.length;
  if (side !== "right") while (start < end && set.has(all[start] ?? "")) start++;
  if (side !== "left") while (end > start && set.has(all[end - 1] ?? "")) end--;
  return all.slice(start, end).join("");
}

function overlay(value: string, other: string, start: number, length: number): string {
  const count = characterCount(value);
  if (start <= 0 || start > count) return value;
  const head = slice(value, 0, start - 1);
  const isCut = start + length > count && start + length > 0;
  return head + other + (isCut ? "" : slice(value, Math.max(0, start - 1 + length), count));
}

function pad(value: string, length: number, padding: string, isLeft: boolean): string | null {
  if (length < 0 || padding === "") return null;
  bounded(length);
  const count = characterCount(value);
  if (length <= count) return slice(value, 0, length);
  const missing = length - count;
  const unit = [...padding];
  const filled = padding.repeat(Math.floor(missing / unit.length));
  const fill = filled + unit.slice(0, missing % unit.length).join("");
  return isLeft ? fill + value : value + fill;
}

function splitIndex(value: string, delimiter: string, index: number): string | null {
  if (index < 0 || value === "") return null;
  if (delimiter === "") return value.split(/\s/)[index] ?? null;
  let start = 0;
  for (let part = 0; part < index; part++) {
    const found = value.indexOf(delimiter, start);
    if (found < 0) return null;
    start = found + delimiter.length;
  }
  const end = value.indexOf(delimiter, start);
  return end < 0 ? value.slice(start) : value.slice(start, end);
}

function initcap(value: string): string {
  let result = "";
  let isStart = true;
  for (const character of value) {
    result += isStart ? character.toUpperCase() : character.toLowerCase();
    isStart = !/[\p{L}\p{Nd}]/u.test(character);
  }
  return result;
}

function translate(value: string, from: string, to: string): string {
  const targets = [...to];
  const map = new Map<string, string>();
  for (const [index, character] of [...from].entries()) {
    if (!map.has(character)) map.set(character, targets[index] ?? "");
  }
  return Array.from(value, (character) => map.get(character) ?? character).join("");
}

function parseUrl(url: string, part: string, key: string | null): string | null {
  const pattern = /^([a-z][\w+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/i;
  const parts = pattern.exec(url);
  if (parts === null) return null;
  const [, protocol = null, authority = null, path = "", query = null, ref = null] = parts;
  const [, userInfo = null, host = ""] = /^(?:(.*)@)?(.*?)(?::\d+)?$/.exec(authority ?? "") ?? [];
  if (key !== null) {
    if (part !== "QUERY" || query === null) return null;
    const pair = query.split("&").find((each) => each.startsWith(`${key}=`));
    return pair === undefined ? null : pair.slice(key.length + 1);
  }
  const values: Readonly<Record<string, string | null>> = {
    PROTOCOL: protocol,
    AUTHORITY: authority,
    HOST: authority === null ? null : host,
    USERINFO: userInfo,
    PATH: path,
    QUERY: query,
    REF: ref,
    FILE: query === null ? path : `${path}?${query}`,
  };
  return values[part] ?? null;
}

const lengthHosts: readonly HostFunction[] = [
  strict("mr_char_length", 1, (value) => BigInt(characterCount(text(value)))),
  strict("mr_upper", 1, (value) => text(value).toUpperCase()),
  strict("mr_lower", 1, (value) => text(value).toLowerCase()),
  strict("mr_initcap", 1, (value) => initcap(text(value))),
  strict("mr_reverse", 1, (value) => [...text(value)].reverse().join("")),
  strict("mr_repeat", 2, (value, count) => {
    const times = Math.max(0, number(count));
    bounded(times * text(value).length);
    return text(value).repeat(times);
  }),
];

const searchHosts: readonly HostFunction[] = [
  strict("mr_position", 2, (part, value) => BigInt(find(text(value), text(part), 1, 1))),
  strict("mr_instr", -1, (value, part, start = 1n, occurrence = 1n) =>
    BigInt(find(text(value), text(part), number(start), number(occurrence))),
  ),
  strict("mr_locate", -1, (part, value, start = 1n) =>
    BigInt(number(start) < 1 ? 0 : find(text(value), text(part), number(start), 1)),
  ),
  strict("mr_startswith", 2, (value, part) => flag(text(value).startsWith(text(part)))),
  strict("mr_endswith", 2, (value, part) => flag(text(value).endsWith(text(part)))),
  strict("mr_split_index", 3, (value, delimiter, index) =>
    splitIndex(text(value), text(delimiter), number(index)),
  ),
  strict("mr_parse_url", -1, (url, part, key) =>
    parseUrl(text(url), text(part), key === undefined ? null : text(key)),
  ),
];

const partHosts: readonly HostFunction[] = [
  strict("mr_trim", 1, (value) => trim(text(value), " ", "both")),
  strict("mr_btrim", -1, (value, set = " ") => trim(text(value), text(set), "both")),
  strict("mr_ltrim", -1, (value, set = " ") => trim(text(value), text(set), "left")),
  strict("mr_rtrim", -1, (value, set = " ") => trim(text(value), text(set), "right")),
  strict("mr_substring", -1, (value, start, length) =>
    substring(text(value), number(start), length === undefined ? null : number(length)),
  ),
  strict("mr_left", 2, (value, length) => slice(text(value), 0, Math.max(0, number(length)))),
  strict("mr_right", 2, (value, length) => {
    const count = characterCount(text(value));
    return slice(text(value), Math.max(0, count - Math.max(0, number(length))), count);
  }),
  strict("mr_overlay", -1, (value, other, start, length) =>
    overlay(
      text(value),
      text(other),
      number(start),
      length === undefined ? characterCount(text(other)) : number(length),
    ),
  ),
  strict("mr_replace", 3, (value, part, other) =>
    text(value).replaceAll(text(part), () => text(other)),
  ),
  strict("mr_translate", 3, (value, from, to) => translate(text(value), text(from), text(to))),
  strict("mr_lpad", 3, (value, length, fill) => pad(text(value), number(length), text(fill), true)),
  strict("mr_rpad", 3, (value, length, fill) =>
    pad(text(value), number(length), text(fill), false),
  ),
];

const joinHosts: readonly HostFunction[] = [
  strict("mr_concat", -1, (...values) => values.map(text).join("")),
  hosted("mr_concat_ws", -1, (separator = null, ...values) =>
    separator === null
      ? null
      : values
          .filter((value) => value !== null)
          .map(text)
          .join(text(separator)),
  ),
  hosted("mr_elt", -1, (index = null, ...values) =>
    index === null || integer(index) < 1n ? null : (values[number(index) - 1] ?? null),
  ),
];

export const stringHosts: readonly HostFunction[] = [
  ...lengthHosts,
  ...searchHosts,
  ...partHosts,
  ...joinHosts,
];
