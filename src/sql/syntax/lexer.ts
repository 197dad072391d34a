/**
 * Text to tokens, in one pass and without looking back. A token that cannot be one becomes `bad`
 * and ends the list: the parser complains of it when it gets there, so that the first mistake in
 * the text is the one that is told. Comments and hints are skipped like spaces.
 */
import type { Token, TokenKind } from "./token.ts";

const space = /[\s\uFEFF]+/y;
const word = /[\p{L}_][\p{L}\p{Nd}\p{M}_$]*/uy;
const number = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const symbol = /=>|<=>|<>|!=|<=|>=|\|\||::|==|->>|->|&&|:=|[-+*/%=<>(),.;[\]{}?:!^&|~@#\\]/y;
const binaryStart = /[xX]'/y;
const unicodeStart = /[uU]&'/y;

/** All tokens of `text`, the last one `end`; `bad` stands just before it if there is one. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  for (;;) {
    const token = nextToken(text, position);
    tokens.push(token);
    if (token.kind === "end") return tokens;
    position = token.kind === "bad" ? text.length : token.end;
  }
}

/** The token at or after `position`. */
export function nextToken(text: string, position: number): Token {
  const start = skipSpace(text, position);
  if (typeof start !== "number") return start;
  if (start >= text.length) return make("end", "", text.length, text.length);
  const first = text[start];
  if (first === "'") return quotedToken(text, { kind: "string", quote: "'", open: start, start });
  if (first === "`" || first === '"') {
    return quotedToken(text, { kind: "quoted", quote: first, open: start, start });
  }
  if (match(binaryStart, text, start) !== null) return binaryToken(text, start);
  if (match(unicodeStart, text, start) !== null) {
    return bad("strings of the form U&'…' are not supported; write the characters", {
      start,
      end: start + 3,
    });
  }
  return plainToken(text, start);
}

function plainToken(text: string, start: number): Token {
  const name = match(word, text, start);
  if (name !== null) return make("word", name, start, start + name.length);
  const digits = match(number, text, start);
  if (digits !== null) return numberToken(text, start, digits);
  const sign = match(symbol, text, start);
  if (sign !== null) return make("symbol", sign, start, start + sign.length);
  const character = String.fromCodePoint(text.codePointAt(start) ?? 0);
  const hint = /[‘’“”´]/.test(character) ? "; strings take straight quotes: 'text'" : "";
  return bad(`the character ${shown(character)} has no meaning here${hint}`, {
    start,
    end: start + character.length,
  });
}

function numberToken(text: string, start: number, digits: string): Token {
  const end = start + digits.length;
  const tail = match(word, text, end);
  if (tail === null) return make("number", digits, start, end);
  return bad(`${digits}${tail.slice(0, 20)} is neither a number nor a name`, {
    start,
    end: end + tail.length,
  });
}

interface Quoted {
  readonly kind: "string" | "quoted";
  readonly quote: string;
  /** Where the opening quote stands. */
  readonly open: number;
  readonly start: number;
}

/** Text between quotes; the quote itself is written twice in it. */
function quotedToken(text: string, { kind, quote, open, start }: Quoted): Token {
  let from = open + 1;
  const parts: string[] = [];
  for (;;) {
    const close = text.indexOf(quote, from);
    if (close < 0) {
      const what = kind === "string" ? "this string" : "this name";
      return bad(`${what} has no closing ${quote}`, { start, end: open + 1 });
    }
    parts.push(text.slice(from, close));
    if (text[close + 1] !== quote) {
      const value = parts.join(quote);
      if (kind === "quoted" && value === "") {
        return bad("a name cannot be empty", { start, end: close + 1 });
      }
      return make(kind, value, start, close + 1);
    }
    from = close + 2;
  }
}

function binaryToken(text: string, start: number): Token {
  const inner = quotedToken(text, { kind: "string", quote: "'", open: start + 1, start });
  if (inner.kind === "bad") return inner;
  if (inner.text.length % 2 !== 0 || /[^0-9a-fA-F]/.test(inner.text)) {
    return bad("a binary string takes pairs of hexadecimal digits: X'0AFF'", inner);
  }
  return make("binary", inner.text.toLowerCase(), start, inner.end);
}

function skipSpace(text: string, position: number): number | Token {
  let at = position;
  for (;;) {
    at += match(space, text, at)?.length ?? 0;
    if (text.startsWith("--", at)) {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end + 1;
    } else if (text.startsWith("/*", at)) {
      const end = text.indexOf("*/", at + 2);
      if (end < 0) return bad("this comment has no closing */", { start: at, end: at + 2 });
      at = end + 2;
    } else {
      return at;
    }
  }
}

/** What the sticky `pattern` finds at `position`. */
function match(pattern: RegExp, text: string, position: number): string | null {
  pattern.lastIndex = position;
  return pattern.exec(text)?.[0] ?? null;
}

function make(kind: TokenKind, text: string, start: number, end: number): Token {
  return { kind, text, upper: kind === "word" ? text.toUpperCase() : text, start, end };
}

function bad(problem: string, { start, end }: { start: number; end: number }): Token {
  return make("bad", problem, start, end);
}

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const isVisible = /[\p{L}\p{N}\p{P}\p{S}]/u.test(character);
  return isVisible ? character : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
