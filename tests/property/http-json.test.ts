/**
 * JSON that comes in over HTTP and goes out again must be the producer's to the character, whatever
 * it is; and what is taken must be what a plain JSON parser with the published shapes takes.
 */
import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { isJson, JsonScanner } from "../../src/wire/http/json-source.ts";
import { parseProduceJson } from "../../src/wire/http/produce-json.ts";
import { produceRequest } from "../../src/wire/http/shapes.ts";

const utf8 = new TextEncoder();
const decoder = new TextDecoder();

const space = fc.constantFrom("", "", " ", "\n", "\t", "\r\n  ");
const digits = fc.stringMatching(/^\d{1,25}$/);
const number = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.stringMatching(/^(0|[1-9]\d{0,24})$/),
    fc.oneof(
      fc.constant(""),
      digits.map((text) => `.${text}`),
    ),
    fc.oneof(
      fc.constant(""),
      fc.tuple(fc.constantFrom("e", "E", "e+", "E-"), digits).map((parts) => parts.join("")),
    ),
  )
  .map((parts) => parts.join(""));
const character = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 3 }).map((text) => {
    return JSON.stringify(text.toWellFormed()).slice(1, -1);
  }),
  fc.constantFrom('\\"', "\\\\", "\\/", "\\u0000", "\\u00E9", "\\ud83d\\ude00", "{", "]", ",", ":"),
);
const string = fc.array(character, { maxLength: 6 }).map((parts) => `"${parts.join("")}"`);

/** The source of any JSON value, spelled in every way that the grammar allows. */
const { value: source } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constantFrom("null", "true", "false"),
    number,
    string,
    fc
      .tuple(space, fc.array(fc.tuple(tie("value"), space), { maxLength: 4 }))
      .map(([first, items]) => `[${first}${items.map((item) => item.join("")).join(`,${first}`)}]`),
    fc
      .tuple(space, fc.array(fc.tuple(string, space, tie("value")), { maxLength: 4 }))
      .map(
        ([gap, members]) =>
          `{${gap}${members.map(([name, after, value]) => `${name}${after}:${gap}${value}`).join(",")}${gap}}`,
      ),
  ),
}));

test("JsonScanner finds any value's source among others", () => {
  fc.assert(
    fc.property(fc.array(source, { minLength: 1, maxLength: 5 }), space, (sources, gap) => {
      const bytes = utf8.encode(`[${sources.map((each) => gap + each + gap).join(",")}]`);
      const scanner = new JsonScanner(bytes);
      const found: string[] = [];
      scanner.enter("array");
      for (let isFirst = true; scanner.nextItem(isFirst); isFirst = false) {
        scanner.skipValue();
        found.push(decoder.decode(scanner.source()));
      }
      scanner.finish();
      expect(found).toEqual(sources);
    }),
  );
});

test("parseProduceJson keeps any value: text as text, other JSON as its source", () => {
  fc.assert(
    fc.property(source, source, (key, value) => {
      const body = utf8.encode(`{"records":[{"value": ${value} ,"key":${key}}]}`);
      const [record] = parseProduceJson(body, { recordCountMax: 1 });
      expect(storedText(record?.key)).toBe(expectedText(key));
      expect(storedText(record?.value)).toBe(expectedText(value));
    }),
  );
});

test("isJson agrees with JSON.parse on texts one edit away from JSON", () => {
  const edit = fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom(...'{}[],:"\\0.eE+-tn u1\n\u0001'));
  fc.assert(
    fc.property(source, edit, (text, [at, removed, inserted]) => {
      const position = at % (text.length + 1);
      const edited = text.slice(0, position) + inserted + text.slice(position + removed);
      if (!edited.isWellFormed()) return;
      expect(isJson(utf8.encode(edited))).toBe(parses(edited));
    }),
    { numRuns: 1000 },
  );
});

test("parseProduceJson takes exactly what the published shape takes", () => {
  const small = fc.constantFrom<unknown>(
    null,
    0,
    1,
    -1,
    1.5,
    2 ** 31,
    "",
    "AA==",
    "*",
    true,
    [],
    {},
  );
  const field = fc.oneof(small, fc.record({ key: small, value: small }, { requiredKeys: [] }));
  const record = fc.record(
    {
      key: small,
      value: small,
      keyBase64: small,
      valueBase64: small,
      partition: small,
      timestamp: small,
      headers: fc.oneof(field, fc.array(field, { maxLength: 2 })),
      extra: small,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(record, { maxLength: 2 }), (records) => {
      const text = JSON.stringify({ records });
      const isTaken = taken(text);
      const shape = produceRequest.safeParse(JSON.parse(text));
      const isExclusive = records.every(
        (each) =>
          "value" in each !== "valueBase64" in each && !("key" in each && "keyBase64" in each),
      );
      expect(isTaken).toBe(shape.success && isExclusive && records.every(headersHaveOneValue));
    }),
    { numRuns: 1000 },
  );
});

function headersHaveOneValue({ headers }: { headers?: unknown }): boolean {
  if (!Array.isArray(headers)) return true;
  return headers.every((each) => "value" in Object(each) !== "valueBase64" in Object(each));
}

function taken(text: string): boolean {
  try {
    parseProduceJson(utf8.encode(text), { recordCountMax: 100 });
    return true;
  } catch {
    return false;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function storedText(bytes: Uint8Array | null | undefined): string | null {
  return bytes ? decoder.decode(bytes) : null;
}

function expectedText(value: string): string | null {
  if (value === "null") return null;
  return value.startsWith('"') ? (JSON.parse(value) as string) : value;
}
