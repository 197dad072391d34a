/**
 * Regular expressions in Java's syntax, run by JavaScript's engine. What both write alike passes
 * through; inline flags, quoting and POSIX classes are translated; what only Java has (possessive
 * quantifiers, atomic groups, class intersections) is refused, never run with another meaning.
 */
import { RowError, shown } from "./row-error.ts";

const compiled = new Map<string, RegExp>();
const compiledMax = 256;

export function compilePattern(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  if (compiled.size >= compiledMax) compiled.clear();
  const made = translate(pattern);
  compiled.set(pattern, made);
  return made;
}

const classes: Readonly<Record<string, string>> = {
  Alpha: "a-zA-Z",
  Digit: "0-9",
  Alnum: "a-zA-Z0-9",
  Upper: "A-Z",
  Lower: "a-z",
  Punct: "!-\\/:-@\\[-`{-~",
  Space: "\\s",
  XDigit: "0-9a-fA-F",
  ASCII: "\\x00-\\x7F",
  IsAlphabetic: "\\p{Alphabetic}",
  IsLetter: "\\p{L}",
  IsDigit: "\\p{Nd}",
};

function translate(pattern: string): RegExp {
  const flags = new Set(["u"]);
  let rest = pattern;
  const inline = /^\(\?([imsux]+)\)/.exec(rest);
  if (inline !== null) {
    if ((inline[1] ?? "").includes("x")) refuse(pattern, "the flag x is not supported");
    for (const each of inline[1] ?? "") flags.add(each);
    rest = rest.slice(inline[0].length);
  }
  let source = "";
  let inSet = false;
  for (let index = 0; index < rest.length; index++) {
    const character = rest[index] ?? "";
    const next = rest[index + 1] ?? "";
    if (character === "\\") {
      const [translated, length] = translateEscape(pattern, rest.slice(index), inSet);
      source += translated;
      index += length - 1;
    } else if (inSet) {
      if (character === "&" && next === "&") refuse(pattern, "&& in a class is not supported");
      if (character === "[") refuse(pattern, "a class within a class is not supported");
      inSet = character !== "]";
      source += character;
    } else if (character === "[") {
      inSet = true;
      source += character;
      if (next === "]" || (next === "^" && rest[index + 2] === "]")) {
        source += next === "^" ? "^\\]" : "\\]";
        index += next === "^" ? 2 : 1;
      }
    } else {
      if (/[*+?}]/.test(character) && next === "+") {
        refuse(pattern, "possessive quantifiers are not supported");
      }
      if (character === "(" && rest.startsWith("(?>", index)) {
        refuse(pattern, "atomic groups are not supported");
      }
      source += isLoneBrace(rest, index) ? `\\${character}` : character;
    }
  }
  try {
    return new RegExp(source, [...flags].join(""));
  } catch {
    return refuse(pattern, "it is not well formed");
  }
}

/** `]`, and braces that are no quantifier, stand for themselves in Java. */
function isLoneBrace(text: string, index: number): boolean {
  const character = text[index];
  if (character === "]") return true;
  if (character === "{") return !/^\{\d+(,\d*)?\}/.test(text.slice(index));
  return character === "}" && !/\{\d+(,\d*)?$/.test(text.slice(0, index));
}

function translateEscape(pattern: string, text: string, inSet: boolean): [string, number] {
  const next = text[1] ?? "";
  if (next === "Q") {
    const end = text.indexOf("\\E", 2);
    const literal = end < 0 ? text.slice(2) : text.slice(2, end);
    return [literal.replace(/[\\^$.*+?()[\]{}|/-]/g, quote), end < 0 ? text.length : end + 2];
  }
  if (next === "A" || next === "z") return [next === "A" ? "^" : "$", 2];
  if (next === "Z" || next === "G" || next === "R" || next === "X") {
    refuse(pattern, `\\${next} is not supported`);
  }
  const named = /^\\([pP])\{(\w+)\}/.exec(text);
  const members = named === null ? undefined : classes[named[2] ?? ""];
  if (named !== null && members !== undefined) {
    const isNegated = named[1] === "P";
    if (isNegated && inSet) refuse(pattern, `${named[0]} in a class is not supported`);
    return [inSet ? members : `[${isNegated ? "^" : ""}${members}]`, named[0].length];
  }
  if (named !== null) return [named[0], named[0].length];
  if (next === "h") return [inSet ? " \\t" : "[ \\t]", 2];
  if (next === "a" || next === "e") return [next === "a" ? "\\x07" : "\\x1B", 2];
  if (/[\w]/.test(next) || /[\^$\\.*+?()[\]{}|/]/.test(next)) return [`\\${next}`, 2];
  if (next === "-" && inSet) return ["\\-", 2];
  return [next, 2];
}

/** Escapes that the u flag allows. */
function quote(character: string): string {
  return character === "-" ? "\\x2D" : `\\${character}`;
}

function refuse(pattern: string, reason: string): never {
  throw new RowError(`Cannot use the regular expression ${shown(pattern)}: ${reason}`);
}
