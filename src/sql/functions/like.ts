/** LIKE and SIMILAR TO. */
import { flag, type HostFunction, strict, text } from "./host-function.ts";
import { compilePattern } from "./regular-expression.ts";
import { RowError, shown } from "./row-error.ts";

/** SQLite takes no GLOB of more than 50 000 bytes. */
const globLengthMax = 4096;

/** The GLOB that means the same as a LIKE pattern; null where none does. */
export function likeToGlob(pattern: string): string | null {
  if (pattern.includes("\0") || pattern.length > globLengthMax) return null;
  return pattern
    .replace(/[*?[]/g, (character) => `[${character}]`)
    .replaceAll("%", "*")
    .replaceAll("_", "?");
}

/** Compiled patterns; a pattern that is a column could bring ever new ones. */
const compiled = new Map<string, RegExp>();
const compiledMax = 256;

function cached(key: string, make: () => RegExp): RegExp {
  const known = compiled.get(key);
  if (known !== undefined) return known;
  if (compiled.size >= compiledMax) compiled.clear();
  const made = make();
  compiled.set(key, made);
  return made;
}

function escapeOf(value: string | undefined): string | null {
  if (value === undefined) return null;
  if ([...value].length !== 1) {
    throw new RowError(`The ESCAPE of LIKE is one character, not ${shown(value)}`);
  }
  return value;
}

function likeExpression(pattern: string, escaper: string | null): RegExp {
  let source = "";
  const characters = [...pattern];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? "";
    if (character === escaper) {
      const next = characters[++index];
      if (next !== "%" && next !== "_" && next !== escaper) {
        throw new RowError(`The LIKE pattern ${shown(pattern)} escapes neither % nor _`);
      }
      source += quoted(next);
    } else if (character === "%") source += ".*";
    else if (character === "_") source += ".";
    else source += quoted(character);
  }
  return new RegExp(`^(?:${source})$`, "su");
}

function quoted(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

const similarClasses: Readonly<Record<string, string>> = {
  ALPHA: "\\p{L}",
  UPPER: "\\p{Lu}",
  LOWER: "\\p{Ll}",
  DIGIT: "\\d",
  ALNUM: "[\\p{L}\\d]",
  SPACE: " ",
  WHITESPACE: "\\s",
};

function similarExpression(pattern: string, escaper: string | null): RegExp {
  let source = "";
  let inSet = false;
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index] ?? "";
    const named = /^\[:([A-Za-z]+):\]/.exec(pattern.slice(index));
    if (character === escaper) source += quoted(pattern[++index] ?? "");
    else if (named !== null && (inSet || pattern.startsWith("[:", index))) {
      source += similarClasses[(named[1] ?? "").toUpperCase()] ?? "";
      index += named[0].length - 1;
    } else if (inSet) {
      inSet = character !== "]";
      source += character === "\\" ? "\\\\" : character;
    } else if (character === "[") {
      inSet = true;
      source += character;
    } else if (character === "%") source += ".*";
    else if (character === "_") source += ".";
    else source += /[\\^$./]/.test(character) ? quoted(character) : character;
  }
  return compilePattern(`(?s)^(?:${source})$`);
}

export const likeHosts: readonly HostFunction[] = [
  strict("mr_like", -1, (value, pattern, escaper) => {
    const by = escapeOf(escaper === undefined ? undefined : text(escaper));
    const key = `L${by ?? ""}\0${text(pattern)}`;
    return flag(cached(key, () => likeExpression(text(pattern), by)).test(text(value)));
  }),
  strict("mr_similar", -1, (value, pattern, escaper) => {
    const by = escapeOf(escaper === undefined ? undefined : text(escaper));
    const key = `S${by ?? ""}\0${text(pattern)}`;
    return flag(cached(key, () => similarExpression(text(pattern), by)).test(text(value)));
  }),
];
