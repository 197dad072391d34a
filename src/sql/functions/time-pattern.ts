/** Patterns of java.time's DateTimeFormatter (`yyyy-MM-dd HH:mm:ss.SSS`), written and read. */
import {
  civilOf,
  dayMs,
  dayOfYear,
  daysOf,
  hourMs,
  isCivilDate,
  isoDayOfWeek,
  minuteMs,
  splitDay,
} from "../types/calendar.ts";
import { padded } from "../types/time-text.ts";
import { RowError, shown } from "./row-error.ts";

type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "field"; readonly letter: string; readonly length: number };

const parsed = new Map<string, readonly Part[]>();
const parsedMax = 256;

const letters = "yuMLdDHhkKmsSnaEQ";

function partsOf(pattern: string): readonly Part[] {
  const known = parsed.get(pattern);
  if (known !== undefined) return known;
  const parts: Part[] = [];
  for (const [token, quoted, letter] of pattern.matchAll(
    /'((?:[^']|'')*)'|(([A-Za-z])\3*)|[^A-Za-z']+/g,
  )) {
    if (quoted !== undefined) {
      parts.push({ kind: "text", text: quoted === "" ? "'" : quoted.replaceAll("''", "'") });
    } else if (letter === undefined) parts.push({ kind: "text", text: token });
    else if (letters.includes(letter[0] ?? "")) {
      parts.push({ kind: "field", letter: letter[0] ?? "", length: letter.length });
    } else throw new RowError(`The time pattern ${shown(pattern)} has ${letter}: not supported`);
  }
  if (parsed.size >= parsedMax) parsed.clear();
  parsed.set(pattern, parts);
  return parts;
}

const monthNames = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const dayNames = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

export function formatPattern(pattern: string, wallMs: number): string {
  return partsOf(pattern)
    .map((part) => (part.kind === "text" ? part.text : fieldText(part.letter, part.length, wallMs)))
    .join("");
}

function fieldText(letter: string, length: number, wallMs: number): string {
  const { days, timeMs } = splitDay(wallMs);
  const { year, month, day } = civilOf(days);
  const hour = Math.floor(timeMs / hourMs);
  switch (letter) {
    case "y":
    case "u":
      return length === 2 ? padded(year % 100, 2) : padded(year, length);
    case "M":
    case "L":
      return nameOrNumber(monthNames[month - 1], month, length);
    case "Q":
      return padded(Math.floor((month + 2) / 3), length);
    case "d":
      return padded(day, length);
    case "D":
      return padded(dayOfYear(days), length);
    case "E":
      return nameOrNumber(dayNames[isoDayOfWeek(days) - 1], 0, Math.max(3, length));
    case "H":
      return padded(hour, length);
    case "k":
      return padded(hour === 0 ? 24 : hour, length);
    case "K":
      return padded(hour % 12, length);
    case "h":
      return padded(hour % 12 === 0 ? 12 : hour % 12, length);
    case "m":
      return padded(Math.floor(timeMs / minuteMs) % 60, length);
    case "s":
      return padded(Math.floor(timeMs / 1000) % 60, length);
    case "S":
      return padded(timeMs % 1000, 3)
        .padEnd(length, "0")
        .slice(0, length);
    case "n":
      return padded((timeMs % 1000) * 1_000_000, length);
    default:
      return hour < 12 ? "AM" : "PM";
  }
}

function nameOrNumber(name: string | undefined, value: number, length: number): string {
  if (length < 3) return padded(value, length);
  return length === 3 ? (name ?? "").slice(0, 3) : (name ?? "");
}

/** Reads a wall time; null where the text does not follow the pattern. */
export function parsePattern(pattern: string, text: string): number | null {
  const parts = partsOf(pattern);
  const fields = new Map<string, number>();
  let position = 0;
  for (const [index, part] of parts.entries()) {
    if (part.kind === "text") {
      if (!text.startsWith(part.text, position)) return null;
      position += part.text.length;
      continue;
    }
    const isAdjacent = parts[index + 1]?.kind === "field";
    const read = readField(part.letter, part.length, isAdjacent, text.slice(position));
    if (read === null) return null;
    fields.set(part.letter, read.value);
    position += read.length;
  }
  return position === text.length ? wallOf(fields) : null;
}

interface ReadField {
  readonly value: number;
  readonly length: number;
}

function readField(
  letter: string,
  length: number,
  isAdjacent: boolean,
  rest: string,
): ReadField | null {
  if ((letter === "M" || letter === "L") && length >= 3) return readName(monthNames, length, rest);
  if (letter === "E") return readName(dayNames, length, rest);
  if (letter === "a") {
    const half = /^(am|pm)/i.exec(rest)?.[0].toUpperCase();
    return half === undefined ? null : { value: half === "PM" ? 1 : 0, length: 2 };
  }
  const isExact = isAdjacent || letter === "S" || (length >= 2 && letter !== "y" && letter !== "u");
  const most = isExact ? length : letter === "y" || letter === "u" ? 10 : 19;
  const least = letter === "y" && length === 4 ? 4 : isExact ? length : 1;
  const digits = new RegExp(`^\\d{${least},${Math.max(least, most)}}`).exec(rest)?.[0];
  if (digits === undefined) return null;
  const value = letter === "S" ? Number(digits.padEnd(3, "0").slice(0, 3)) : Number(digits);
  const isShortYear = (letter === "y" || letter === "u") && length === 2;
  return { value: isShortYear ? 2000 + value : value, length: digits.length };
}

function readName(names: readonly string[], length: number, rest: string): ReadField | null {
  for (const [index, name] of names.entries()) {
    const form = length === 3 ? name.slice(0, 3) : name;
    if (rest.startsWith(form)) return { value: index + 1, length: form.length };
  }
  return null;
}

function wallOf(fields: ReadonlyMap<string, number>): number | null {
  const date = {
    year: fields.get("y") ?? fields.get("u") ?? 1970,
    month: fields.get("M") ?? fields.get("L") ?? 1,
    day: fields.get("d") ?? 1,
  };
  const isAfternoon = fields.get("a") === 1;
  const halfDay = fields.get("h") ?? fields.get("K");
  const hour = fields.get("H") ?? (fields.get("k") ?? 0) % 24;
  const wholeHour = halfDay === undefined ? hour : (halfDay % 12) + (isAfternoon ? 12 : 0);
  const minute = fields.get("m") ?? 0;
  const second = fields.get("s") ?? 0;
  if (!isCivilDate(date) || wholeHour > 23 || minute > 59 || second > 59) return null;
  const days = fields.has("D")
    ? daysOf({ ...date, month: 1, day: 1 }) + (fields.get("D") ?? 1) - 1
    : daysOf(date);
  const milliseconds = fields.get("S") ?? Math.floor((fields.get("n") ?? 0) / 1_000_000);
  return days * dayMs + wholeHour * hourMs + minute * minuteMs + second * 1000 + milliseconds;
}
