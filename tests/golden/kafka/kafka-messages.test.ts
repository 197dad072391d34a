/**
 * Every version of every API against the bytes of Kafka's own Java classes, in both directions.
 * `tests/golden/generate/KafkaMessages.java` made the fixture and says how to make it again.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { present } from "../../../src/base/assert.ts";
import { isStreamError } from "../../../src/base/stream-error.ts";
import { kafkaApiByKey, kafkaApis } from "../../../src/wire/kafka/api-registry.ts";
import { decodeMessage, encodeMessage } from "../../../src/wire/kafka/codec.ts";
import {
  consumerAssignment,
  consumerSubscription,
} from "../../../src/wire/kafka/consumer-protocol.ts";
import { fieldDefault } from "../../../src/wire/kafka/field-default.ts";
import type { FieldShape, FieldType, MessageTable } from "../../../src/wire/kafka/field-table.ts";
import {
  decodeRequestHeader,
  requestHeaderVersion,
  responseHeaderVersion,
} from "../../../src/wire/kafka/request-header.ts";

import { type SchemaField, schemaFacts, schemaFlexibleSince, tableFacts } from "./message-facts.ts";

interface Row {
  readonly api?: number;
  readonly name: string;
  readonly version: number;
  readonly kind: "request" | "response" | "data";
  readonly requestHeaderVersion?: number;
  readonly responseHeaderVersion?: number;
  readonly filled: "full" | "sparse";
  readonly bytes: string;
  readonly fields: Struct;
}

interface SchemaRow {
  readonly kind: "schema";
  readonly name: string;
  readonly flexibleVersions: string;
  readonly fields: Readonly<Record<string, SchemaField>>;
}

type Struct = Readonly<Record<string, unknown>>;

const fixture = new URL("../fixtures/kafka-messages.jsonl.gz", import.meta.url);

function readRows(): readonly (Row | SchemaRow)[] {
  return gunzipSync(readFileSync(fixture))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Row | SchemaRow);
}

const allRows = readRows();
const rows = allRows.filter((row) => row.kind !== "schema");
const schemas = new Map(
  allRows.filter((row) => row.kind === "schema").map((row) => [row.name, row]),
);

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}

/** Our value in the form in which Kafka's JSON converters print it. */
function printed(type: FieldType, value: unknown): unknown {
  if (value === null) return null;
  if (type.kind === "array") {
    return (value as readonly unknown[]).map((element) => printed(type.element, element));
  }
  if (type.kind === "bytes") return (value as Uint8Array).toBase64();
  return value;
}

function expectStruct(
  fields: Readonly<Record<string, FieldShape>>,
  actual: Struct,
  expected: Struct,
): void {
  const known = new Set<string>();
  for (const [name, field] of Object.entries(fields)) {
    const value = actual[name];
    const printedName = field.type.kind === "records" ? `${name}SizeInBytes` : name;
    known.add(printedName);
    // Kafka prints what the version has, tagged fields only when they are set.
    if (!(printedName in expected)) expect(value).toEqual(fieldDefault(field));
    else expectValue(field.type, value, expected[printedName]);
  }
  expect(Object.keys(expected).filter((name) => !known.has(name))).toEqual([]);
}

function expectValue(type: FieldType, value: unknown, expected: unknown): void {
  if (type.kind === "struct" && expected !== null) {
    expectStruct(type.fields, value as Struct, expected as Struct);
  } else if (type.kind === "array" && type.element.kind === "struct" && expected !== null) {
    const values = value as readonly Struct[];
    const expectedValues = expected as readonly Struct[];
    expect(values.length).toBe(expectedValues.length);
    for (const [index, element] of values.entries()) {
      expectValue(type.element, element, expectedValues[index]);
    }
  } else if (type.kind === "records") {
    expect(value === null ? null : (value as Uint8Array).length).toEqual(expected as number | null);
  } else {
    expect(printed(type, value)).toEqual(expected);
  }
}

function expectGolden(message: MessageTable<unknown>, row: Row): void {
  const bytes = Uint8Array.fromBase64(row.bytes);
  const value = decodeMessage(message, row.version, bytes);
  expectStruct(message.fields, value as Struct, row.fields);
  const { chunks, byteLength } = encodeMessage(message, row.version, value);
  expect(joined(chunks)).toEqual(bytes);
  expect(byteLength).toBe(bytes.length);
}

interface FullMessage {
  readonly message: MessageTable<unknown>;
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** Every request and response in which all fields are set. */
function fullMessages(): readonly FullMessage[] {
  return rows.flatMap(({ api, bytes, filled, kind, version }) => {
    if (api === undefined || kind === "data" || filled !== "full") return [];
    const message = present(kafkaApiByKey.get(api), "API")[kind] as MessageTable<unknown>;
    return [{ message, version, bytes: Uint8Array.fromBase64(bytes) }];
  });
}

function caught(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("Kafka's own bytes", () => {
  for (const api of kafkaApis) {
    for (const kind of ["request", "response"] as const) {
      test(`of every ${api.name} ${kind} are read and written`, () => {
        const mine = rows.filter((row) => row.api === api.key && row.kind === kind);
        const { min, max } = api.versions;
        expect(mine.length).toBe((max - min + 1) * 2);
        for (const row of mine) {
          expect(row.name).toBe(api.name);
          expectGolden(api[kind] as MessageTable<unknown>, row);
        }
      });
    }
  }

  test("cut at any byte are refused", () => {
    for (const { bytes, message, version } of fullMessages()) {
      for (let length = 0; length < bytes.length; length++) {
        const cut = caught(() => decodeMessage(message, version, bytes.subarray(0, length)));
        if (!isStreamError(cut, "invalid_request"))
          expect(cut).toBe([message.name, version, length]);
      }
    }
  });

  test("with any byte changed are read or refused, and nothing else happens", () => {
    for (const { bytes, message, version } of fullMessages()) {
      for (let position = 0; position < bytes.length; position++) {
        const changed = bytes.slice();
        changed[position] = (bytes[position] ?? 0) ^ 0xff;
        const error = caught(() => decodeMessage(message, version, changed));
        if (error === undefined || isStreamError(error, "invalid_request")) continue;
        expect(error).toBe([message.name, version, position]);
      }
    }
  });

  test("of consumer subscriptions and assignments are read and written", () => {
    for (const message of [consumerSubscription, consumerAssignment]) {
      const mine = rows.filter((row) => row.name === message.name);
      expect(mine.length).toBe(8);
      for (const row of mine) expectGolden(message as MessageTable<unknown>, row);
    }
  });

  test("come of schemas that say of every field what our tables say", () => {
    const messages = [
      ...kafkaApis.flatMap((api) => [api.request, api.response]),
      consumerSubscription,
      consumerAssignment,
    ];
    for (const message of messages) {
      const schema = present(schemas.get(message.name), message.name);
      const flexibleSince = schemaFlexibleSince(schema.flexibleVersions);
      expect([message.name, message.flexibleSince]).toEqual([message.name, flexibleSince]);
      const { min, max } = message.versions;
      for (let version = min; version <= max; version++) {
        expect(tableFacts(message, version)).toEqual(schemaFacts(schema.fields, version));
      }
    }
  });

  test("of request headers are read", () => {
    const mine = rows.filter((row) => row.name === "RequestHeader");
    expect(mine.length).toBe(4);
    for (const { bytes: base64, fields, version } of mine) {
      const bytes = Uint8Array.fromBase64(base64);
      const header = decodeRequestHeader(bytes);
      const { requestApiKey, requestApiVersion, correlationId, clientId } = fields;
      // The keys are no API's or 0 with version 0, so the empty tagged section is not looked for.
      expect(header.apiKey === 0 || !kafkaApiByKey.has(header.apiKey)).toBe(true);
      expect(Object(header)).toEqual({
        apiKey: requestApiKey,
        apiVersion: requestApiVersion,
        correlationId,
        clientId,
        bodyPosition: version === 2 ? bytes.length - 1 : bytes.length,
      });
    }
  });

  test("agree on the header versions of every API", () => {
    for (const row of rows) {
      if (row.api === undefined) continue;
      const api = present(kafkaApiByKey.get(row.api), row.name);
      expect(requestHeaderVersion(api, row.version) as number).toBe(row.requestHeaderVersion ?? -1);
      expect(responseHeaderVersion(api, row.version) as number).toBe(
        row.responseHeaderVersion ?? -1,
      );
    }
  });

  test("announce no version that is not served, but for the old Produce", () => {
    const wider = kafkaApis.filter((api) => api.advertisedVersions !== api.versions);
    expect(wider.map((api) => [api.name, api.advertisedVersions])).toEqual([
      ["Produce", { min: 0, max: 13 }],
    ]);
  });
});
