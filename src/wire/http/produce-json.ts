/**
 * Reads the `application/json` body of a produce request into records. The rules are those of
 * `produceRequest` in shapes.ts; they are checked here, on the bytes, since values are kept as
 * their source. A string is stored as its text, null as no value, any other JSON as its exact
 * source.
 */
import { StreamError } from "../../base/stream-error.ts";
import { type JsonKind, JsonScanner } from "./json-source.ts";

export interface ProducedHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Bytes are views of the body where that saves a copy. */
export interface ProducedRecord {
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: readonly ProducedHeader[];
  /** Undefined: the key decides, or where keyless records go. */
  partition: number | undefined;
  /** Milliseconds since 1970; undefined: now. */
  timestamp: number | undefined;
}

const noHeaders: readonly ProducedHeader[] = [];

/** Every property that a record may have; its length tells most of them apart. */
const recordFields = [
  "key",
  "value",
  "headers",
  "partition",
  "timestamp",
  "keyBase64",
  "valueBase64",
] as const;
type RecordField = (typeof recordFields)[number];
const recordFieldNames: readonly { readonly name: RecordField; readonly bytes: Uint8Array }[] =
  recordFields.map((name) => ({ name, bytes: new TextEncoder().encode(name) }));

const partitionMax = 2 ** 31 - 1;

/**
 * Parses the whole body.
 * @throws StreamError `invalid_request`; details give the `field` (`records[3].timestamp`) and what
 *   was `expected`.
 */
export function parseProduceJson(
  body: Uint8Array,
  options: { readonly recordCountMax: number },
): ProducedRecord[] {
  const reader = new ProduceReader(body);
  return reader.read(options.recordCountMax);
}

class ProduceReader {
  readonly #scanner: JsonScanner;
  #index = 0;

  constructor(body: Uint8Array) {
    this.#scanner = new JsonScanner(body);
  }

  read(recordCountMax: number): ProducedRecord[] {
    const scanner = this.#scanner;
    let records: ProducedRecord[] | undefined;
    scanner.enter("object");
    for (let isFirst = true; scanner.nextProperty(isFirst); isFirst = false) {
      const name = scanner.text();
      if (name !== "records") throw fault(name, 'only "records" here');
      if (records !== undefined) throw fault("records", "the property once");
      if (scanner.peekKind() !== "array") throw fault("records", "an array of records");
      records = this.#records(recordCountMax);
    }
    scanner.finish();
    if (records === undefined) throw fault("records", "an array of records");
    if (records.length === 0) throw fault("records", "at least one record");
    return records;
  }

  #records(recordCountMax: number): ProducedRecord[] {
    const records: ProducedRecord[] = [];
    this.#scanner.enter("array");
    for (let isFirst = true; this.#scanner.nextItem(isFirst); isFirst = false) {
      if (records.length === recordCountMax) {
        throw fault("records", `at most ${recordCountMax} records`);
      }
      this.#index = records.length;
      records.push(this.#record());
    }
    return records;
  }

  #record(): ProducedRecord {
    const scanner = this.#scanner;
    if (scanner.peekKind() !== "object") throw fault(this.#path(), "an object");
    const record: ProducedRecord = {
      key: null,
      value: null,
      headers: noHeaders,
      partition: undefined,
      timestamp: undefined,
    };
    let seen = 0;
    scanner.enter("object");
    for (let isFirst = true; scanner.nextProperty(isFirst); isFirst = false) {
      const field = this.#fieldName();
      const bit = fieldBit(field);
      if ((seen & bit) !== 0) throw this.#fault(field, "the property once");
      seen |= bit;
      this.#readField(record, field);
    }
    if ((seen & keyBits) === keyBits) throw this.#fault("keyBase64", "key or keyBase64, not both");
    if ((seen & valueBits) === valueBits) {
      throw this.#fault("valueBase64", "value or valueBase64, not both");
    }
    if ((seen & valueBits) === 0) throw this.#fault("value", "a value, or null for a tombstone");
    return record;
  }

  #readField(record: ProducedRecord, field: RecordField): void {
    switch (field) {
      case "key":
        record.key = this.#content();
        return;
      case "value":
        record.value = this.#content();
        return;
      case "keyBase64":
        record.key = this.#base64(this.#path(field));
        return;
      case "valueBase64":
        record.value = this.#base64(this.#path(field));
        return;
      case "headers":
        record.headers = this.#headers();
        return;
      case "partition":
        record.partition = this.#integer(field, partitionMax);
        return;
      case "timestamp":
        record.timestamp = this.#integer(field, Number.MAX_SAFE_INTEGER);
        return;
    }
  }

  /** The bytes to store for the JSON value at hand. */
  #content(): Uint8Array | null {
    const kind = this.#scanner.skipValue();
    if (kind === "null") return null;
    return kind === "string" ? this.#scanner.textBytes() : this.#scanner.source();
  }

  #base64(path: string): Uint8Array | null {
    const kind = this.#scanner.skipValue();
    if (kind === "null") return null;
    if (kind !== "string") throw fault(path, "base64 text or null");
    try {
      return Uint8Array.fromBase64(this.#scanner.text());
    } catch {
      throw fault(path, "base64 text (RFC 4648, section 4)");
    }
  }

  #integer(field: RecordField, max: number): number | undefined {
    const kind: JsonKind = this.#scanner.skipValue();
    if (kind === "null") return undefined;
    const text = kind === "number" ? latin1(this.#scanner.source()) : "";
    const value = Number(text);
    if (/^\d+$/.test(text) && value <= max) return value;
    throw this.#fault(field, `an integer from 0 to ${max}`);
  }

  /** `{"name": value}`, or `[{"key","value"}]` where names repeat or values are bytes. */
  #headers(): readonly ProducedHeader[] {
    switch (this.#scanner.peekKind()) {
      case "object":
        return this.#headersOfObject();
      case "array":
        return this.#headersOfArray();
      case "null":
        this.#scanner.skipValue();
        return noHeaders;
      default:
        throw this.#fault("headers", "an object, or an array of key and value");
    }
  }

  #headersOfObject(): readonly ProducedHeader[] {
    const scanner = this.#scanner;
    const headers: ProducedHeader[] = [];
    scanner.enter("object");
    for (let isFirst = true; scanner.nextProperty(isFirst); isFirst = false) {
      const key = scanner.text();
      headers.push({ key, value: this.#content() });
    }
    return headers;
  }

  #headersOfArray(): readonly ProducedHeader[] {
    const headers: ProducedHeader[] = [];
    this.#scanner.enter("array");
    for (let isFirst = true; this.#scanner.nextItem(isFirst); isFirst = false) {
      headers.push(this.#headerItem(`${this.#path("headers")}[${headers.length}]`));
    }
    return headers;
  }

  #headerItem(path: string): ProducedHeader {
    const scanner = this.#scanner;
    if (scanner.peekKind() !== "object") throw fault(path, "an object of key and value");
    let key: string | undefined;
    let value: Uint8Array | null | undefined;
    scanner.enter("object");
    for (let isFirst = true; scanner.nextProperty(isFirst); isFirst = false) {
      const name = scanner.text();
      const isRepeated = name === "key" ? key !== undefined : value !== undefined;
      if (name !== "key" && name !== "value" && name !== "valueBase64") {
        throw fault(`${path}.${name}`, "only key, value and valueBase64 here");
      }
      if (isRepeated) throw fault(`${path}.${name}`, "one key and one value");
      if (name === "value") value = this.#content();
      else if (name === "valueBase64") value = this.#base64(`${path}.${name}`);
      else {
        if (scanner.skipValue() !== "string") throw fault(`${path}.key`, "text");
        key = scanner.text();
      }
    }
    if (key === undefined) throw fault(`${path}.key`, "text");
    if (value === undefined) throw fault(`${path}.value`, "a value or null");
    return { key, value };
  }

  /** The property name passed last, which is nearly always plain ASCII. */
  #fieldName(): RecordField {
    const { bytes, valueStart, valueEnd, hasEscape } = this.#scanner;
    if (!hasEscape) {
      const start = valueStart + 1;
      for (const known of recordFieldNames) {
        if (known.bytes.length !== valueEnd - 1 - start) continue;
        if (known.bytes.every((byte, index) => byte === bytes[start + index])) return known.name;
      }
    }
    const name = this.#scanner.text();
    const known = recordFields.find((field) => field === name);
    if (known !== undefined) return known;
    throw fault(this.#path(name), `one of ${recordFields.join(", ")}`);
  }

  #path(field?: string): string {
    const record = `records[${this.#index}]`;
    return field === undefined ? record : `${record}.${field}`;
  }

  #fault(field: RecordField, expected: string): StreamError {
    return fault(this.#path(field), expected);
  }
}

function fieldBit(field: RecordField): number {
  return 1 << recordFields.indexOf(field);
}

const keyBits = fieldBit("key") | fieldBit("keyBase64");
const valueBits = fieldBit("value") | fieldBit("valueBase64");

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 32));
}

function fault(field: string, expected: string): StreamError {
  const shown = field.length > 200 ? `${field.slice(0, 200)}…` : field;
  return new StreamError("invalid_request", `Cannot append: ${shown} must be ${expected}`, {
    details: { field: shown, expected },
  });
}
