/**
 * JSON with exact numbers: a number stays the text that it was written as, since 2^53 + 1 and
 * 0.1000 are other values as DOUBLEs. Of equal keys the last one counts.
 */
export type JsonValue =
  | null
  | boolean
  | string
  | JsonNumber
  | readonly JsonValue[]
  | ReadonlyMap<string, JsonValue>;

export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export class JsonFault extends Error {}

const nestingMax = 512;

export function parseJson(text: string): JsonValue {
  const reader = new JsonReader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

export function isJsonText(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch (cause) {
    if (cause instanceof JsonFault) return false;
    throw cause;
  }
}

/** Without blanks; keys keep their order. */
export function formatJson(value: JsonValue): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof JsonNumber) return value.text;
  if (isList(value)) return `[${value.map(formatJson).join(",")}]`;
  const members = Array.from(value, ([key, each]) => `${JSON.stringify(key)}:${formatJson(each)}`);
  return `{${members.join(",")}}`;
}

export function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function isMembers(value: JsonValue): value is ReadonlyMap<string, JsonValue> {
  return value instanceof Map;
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const blankPattern = /[ \t\n\r]*/y;
/** All but controls, the quote and the backslash. */
const plainPattern = /[ !#-[\]-\uffff]*/y;

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class JsonReader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  end(): void {
    this.#take(blankPattern);
    if (this.#position < this.#text.length) this.#fail();
  }

  value(nesting: number): JsonValue {
    if (nesting > nestingMax) this.#fail();
    this.#take(blankPattern);
    const first = this.#text[this.#position];
    if (first === "{") return this.#members(nesting);
    if (first === "[") return this.#list(nesting);
    if (first === '"') return this.#string();
    if (this.#takeWord("true")) return true;
    if (this.#takeWord("false")) return false;
    if (this.#takeWord("null")) return null;
    const number = this.#take(numberPattern);
    return number === "" ? this.#fail() : new JsonNumber(number);
  }

  #members(nesting: number): JsonValue {
    const members = new Map<string, JsonValue>();
    this.#position += 1;
    if (this.#takeSymbol("}")) return members;
    do {
      this.#take(blankPattern);
      const key = this.#string();
      if (!this.#takeSymbol(":")) this.#fail();
      members.delete(key);
      members.set(key, this.value(nesting + 1));
    } while (this.#takeSymbol(","));
    return this.#takeSymbol("}") ? members : this.#fail();
  }

  #list(nesting: number): JsonValue {
    const items: JsonValue[] = [];
    this.#position += 1;
    if (this.#takeSymbol("]")) return items;
    do items.push(this.value(nesting + 1));
    while (this.#takeSymbol(","));
    return this.#takeSymbol("]") ? items : this.#fail();
  }

  #string(): string {
    if (this.#text[this.#position] !== '"') this.#fail();
    this.#position += 1;
    let result = "";
    for (;;) {
      result += this.#take(plainPattern);
      const next = this.#text[this.#position++];
      if (next === '"') return result;
      if (next !== "\\") this.#fail();
      const letter = this.#text[this.#position++] ?? "";
      if (letter !== "u") {
        result += escapes[letter] ?? this.#fail();
        continue;
      }
      const digits = this.#text.slice(this.#position, this.#position + 4);
      if (!/^[\da-fA-F]{4}$/.test(digits)) this.#fail();
      result += String.fromCharCode(Number.parseInt(digits, 16));
      this.#position += 4;
    }
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#position += found.length;
    return found;
  }

  #takeWord(word: string): boolean {
    if (!this.#text.startsWith(word, this.#position)) return false;
    this.#position += word.length;
    return true;
  }

  #takeSymbol(symbol: string): boolean {
    this.#take(blankPattern);
    return this.#takeWord(symbol);
  }

  #fail(): never {
    throw new JsonFault(`The JSON text is wrong at character ${this.#position + 1}`);
  }
}
