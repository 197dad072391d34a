/**
 * A scanner over the bytes of a JSON text (RFC 8259) that finds where values stand instead of
 * building them. Produce stores a value as its exact source: a 64-bit integer, `1.0`, `1e400` and
 * the spaces within an object would not survive JSON.parse. It checks the grammar strictly, so what
 * it finds is JSON and nothing else, and allocates nothing for values that it only passes over.
 */
import { StreamError } from "../../base/stream-error.ts";

export type JsonKind = "string" | "number" | "object" | "array" | "true" | "false" | "null";

/** Objects and arrays within each other; deeper is refused. */
export const jsonDepthMax = 256;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8Encoder = new TextEncoder();

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;
const comma = 0x2c;
const minus = 0x2d;
const plus = 0x2b;
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const letterU = 0x75;

const literals = {
  true: utf8Encoder.encode("true"),
  false: utf8Encoder.encode("false"),
  null: utf8Encoder.encode("null"),
} as const;

/** `"` `\` `/` `b` `f` `n` `r` `t`. */
const escapes = new Set([...'"\\/bfnrt'].map((letter) => letter.charCodeAt(0)));

/** Every method throws StreamError `invalid_request` with the byte and what was expected there. */
export class JsonScanner {
  readonly bytes: Uint8Array;
  position = 0;
  /** First byte of the value passed last. */
  valueStart = 0;
  /** One past the last byte of the value passed last. */
  valueEnd = 0;
  /** The value passed last, if a string, holds a backslash. */
  hasEscape = false;
  #isAscii = true;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Passes over one value of any kind, checks it, and leaves its place in valueStart, valueEnd. */
  skipValue(): JsonKind {
    this.#skipSpace();
    const start = this.position;
    const kind = this.#pass(0);
    this.valueStart = start;
    this.valueEnd = this.position;
    return kind;
  }

  /** The source of the value passed last: a view. */
  source(): Uint8Array {
    return this.bytes.subarray(this.valueStart, this.valueEnd);
  }

  /** The text of the string passed last, as UTF-8: a view where it holds no escape. */
  textBytes(): Uint8Array {
    if (!this.hasEscape) return this.bytes.subarray(this.valueStart + 1, this.valueEnd - 1);
    return utf8Encoder.encode(this.text());
  }

  /** The text of the string passed last. A lone surrogate has no UTF-8 and is refused. */
  text(): string {
    if (!this.hasEscape) {
      return this.#decode(this.bytes.subarray(this.valueStart + 1, this.valueEnd - 1));
    }
    const text = JSON.parse(this.#decode(this.source())) as string;
    if (text.isWellFormed()) return text;
    throw this.refuse("text without lone surrogates", this.valueStart);
  }

  /** Passes over `{` of an object or `[` of an array. */
  enter(kind: "object" | "array"): void {
    this.#skipSpace();
    this.#expect(kind === "object" ? openBrace : openBracket, `an ${kind}`);
  }

  /**
   * Goes to the next property of the object entered and passes over its name (its place as of a
   * value) and the colon; false, past the brace, when there is none. `isFirst`: none was read yet.
   */
  nextProperty(isFirst: boolean): boolean {
    if (this.#closes(closeBrace, isFirst)) return false;
    this.#skipSpace();
    const start = this.position;
    if (this.bytes[start] !== quote) throw this.refuse("a property name in quotes");
    this.#passString();
    this.valueStart = start;
    this.valueEnd = this.position;
    this.#skipSpace();
    this.#expect(colon, "':' after a property name");
    return true;
  }

  /** Goes to the next item of the array entered; false, past the bracket, when there is none. */
  nextItem(isFirst: boolean): boolean {
    return !this.#closes(closeBracket, isFirst);
  }

  /** The kind of the value that comes next, by its first byte; `undefined` for none. */
  peekKind(): JsonKind | undefined {
    this.#skipSpace();
    return kindOf(this.bytes[this.position]);
  }

  /** Demands that only space is left and that all of it was UTF-8. */
  finish(): void {
    this.#skipSpace();
    if (this.position !== this.bytes.length) throw this.refuse("the end");
    if (!this.#isAscii) this.#decode(this.bytes);
  }

  /** An error at the byte at hand, or at `position`. */
  refuse(expected: string, position = this.position): StreamError {
    const found = position < this.bytes.length ? "" : ", where the body ends";
    return new StreamError(
      "invalid_request",
      `Cannot read the JSON body at byte ${position}${found}: expected ${expected}`,
      { details: { position, expected } },
    );
  }

  #decode(bytes: Uint8Array): string {
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw new StreamError("invalid_request", "Cannot read the JSON body: it is not UTF-8", {
        details: { expected: "UTF-8" },
        cause,
      });
    }
  }

  #skipSpace(): void {
    const { bytes } = this;
    for (let position = this.position; ; position++) {
      const byte = bytes[position];
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue;
      this.position = position;
      return;
    }
  }

  #expect(byte: number, what: string): void {
    if (this.bytes[this.position] !== byte) throw this.refuse(what);
    this.position++;
  }

  /** Passes over the end of a container, or over the comma before what comes next. */
  #closes(close: number, isFirst: boolean): boolean {
    this.#skipSpace();
    if (this.bytes[this.position] === close) {
      this.position++;
      return true;
    }
    if (!isFirst) this.#expect(comma, `',' or '${String.fromCharCode(close)}'`);
    return false;
  }

  #pass(depth: number): JsonKind {
    const kind = kindOf(this.bytes[this.position]);
    switch (kind) {
      case "string":
        this.#passString();
        return kind;
      case "number":
        this.#passNumber();
        return kind;
      case "object":
        this.#passObject(depth + 1);
        return kind;
      case "array":
        this.#passArray(depth + 1);
        return kind;
      case undefined:
        throw this.refuse("a value");
      default:
        this.#passLiteral(literals[kind], kind);
        return kind;
    }
  }

  #passObject(depth: number): void {
    this.#checkDepth(depth);
    this.position++;
    for (let isFirst = true; this.nextProperty(isFirst); isFirst = false) {
      this.#skipSpace();
      this.#pass(depth);
    }
  }

  #passArray(depth: number): void {
    this.#checkDepth(depth);
    this.position++;
    for (let isFirst = true; this.nextItem(isFirst); isFirst = false) {
      this.#skipSpace();
      this.#pass(depth);
    }
  }

  #checkDepth(depth: number): void {
    if (depth > jsonDepthMax) throw this.refuse(`at most ${jsonDepthMax} levels`);
  }

  #passLiteral(literal: Uint8Array, name: string): void {
    for (let index = 0; index < literal.length; index++) {
      if (this.bytes[this.position + index] !== literal[index]) throw this.refuse(name);
    }
    this.position += literal.length;
  }

  #passString(): void {
    const { bytes } = this;
    let position = this.position + 1;
    let above = 0;
    this.hasEscape = false;
    for (; ; position++) {
      const byte = bytes[position];
      if (byte === quote) break;
      if (byte === undefined) throw this.refuse("the end of a string", position);
      if (byte < 0x20) throw this.refuse("control characters escaped", position);
      above |= byte;
      if (byte !== backslash) continue;
      this.hasEscape = true;
      position = this.#passEscape(position + 1);
    }
    if (above >= 0x80) this.#isAscii = false;
    this.position = position + 1;
  }

  /** Gives the position of the escape's last byte. */
  #passEscape(position: number): number {
    const byte = this.bytes[position];
    if (byte !== letterU) {
      if (byte !== undefined && escapes.has(byte)) return position;
      throw this.refuse("one of \" \\ / b f n r t u after '\\'", position);
    }
    for (let index = 1; index <= 4; index++) {
      if (isHexDigit(this.bytes[position + index])) continue;
      throw this.refuse("four hexadecimal digits", position + index);
    }
    return position + 4;
  }

  #passNumber(): void {
    const { bytes } = this;
    if (bytes[this.position] === minus) this.position++;
    if (bytes[this.position] === zero) this.position++;
    else this.#passDigits();
    if (bytes[this.position] === dot) {
      this.position++;
      this.#passDigits();
    }
    const exponent = bytes[this.position];
    if (exponent !== 0x65 && exponent !== 0x45) return;
    this.position++;
    const sign = bytes[this.position];
    if (sign === plus || sign === minus) this.position++;
    this.#passDigits();
  }

  #passDigits(): void {
    const { bytes } = this;
    const start = this.position;
    let position = start;
    for (let byte = bytes[position]; byte !== undefined; byte = bytes[++position]) {
      if (byte < zero || byte > nine) break;
    }
    if (position === start) throw this.refuse("a digit");
    this.position = position;
  }
}

/** Tells whether `bytes` are one JSON value and nothing else but space around it. */
export function isJson(bytes: Uint8Array): boolean {
  try {
    const scanner = new JsonScanner(bytes);
    scanner.skipValue();
    scanner.finish();
    return true;
  } catch (error) {
    if (error instanceof StreamError) return false;
    throw error;
  }
}

function kindOf(byte: number | undefined): JsonKind | undefined {
  switch (byte) {
    case quote:
      return "string";
    case openBrace:
      return "object";
    case openBracket:
      return "array";
    case 0x74:
      return "true";
    case 0x66:
      return "false";
    case 0x6e:
      return "null";
    case minus:
      return "number";
    default:
      return byte !== undefined && byte >= zero && byte <= nine ? "number" : undefined;
  }
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const letter = byte | 0x20;
  return (byte >= zero && byte <= nine) || (letter >= 0x61 && letter <= 0x66);
}
