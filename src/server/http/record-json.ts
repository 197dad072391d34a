/**
 * Writes records as JSON text. Bytes that are UTF-8 are given as text, others as base64 under a
 * name of their own, so a client always knows which it has. With `values: "json"` a value that is
 * JSON is embedded as its exact source: 64-bit integers and spellings of numbers reach the client's
 * parser as the producer wrote them.
 */
import type { LogRecord, RecordHeader } from "../../record/types.ts";
import { isJson } from "../../wire/http/json-source.ts";

export interface RecordJsonOptions {
  readonly values: "text" | "json";
  /**
   * The text must be one line (NDJSON, events): line breaks within an embedded value, which JSON
   * allows between its tokens only, become spaces.
   */
  readonly isOneLine: boolean;
  /** Named in the record when given. */
  readonly partition?: number;
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const replacement = "\ufffd";

/** One record as a JSON object. */
export function recordJson(record: LogRecord, options: RecordJsonOptions): string {
  const { partition } = options;
  const place = partition === undefined ? "" : `"partition":${partition},`;
  const head = `{${place}"offset":${record.offset},"timestamp":${record.timestamp}`;
  const value =
    options.values === "json"
      ? embeddedValue(record.value, options.isOneLine)
      : textField("value", record.value);
  const headers = headersJson(record.headers);
  return `${head},${textField("key", record.key)},${value},"headers":${headers}}`;
}

function textField(name: string, bytes: Uint8Array | null): string {
  if (bytes === null) return `"${name}":null`;
  const text = decodeText(bytes);
  if (text === undefined) return `"${name}Base64":"${bytes.toBase64()}"`;
  return `"${name}":${JSON.stringify(text)}`;
}

/** The JSON text `null` is given as text: as a value it would read as no value at all. */
function embeddedValue(bytes: Uint8Array | null, isOneLine: boolean): string {
  if (bytes === null || !isJson(bytes)) return otherValue(bytes);
  const source = utf8.decode(bytes);
  if (source.trim() === "null") return otherValue(bytes);
  return `"value":${isOneLine ? source.replaceAll(/[\r\n]/g, " ") : source}`;
}

function otherValue(bytes: Uint8Array | null): string {
  const field = textField("value", bytes);
  return field.startsWith('"value":"') ? `"valueText":${field.slice(8)}` : field;
}

/** The headers of a record as a JSON array. */
export function headersJson(headers: readonly RecordHeader[]): string {
  if (headers.length === 0) return "[]";
  const items = headers.map(
    ({ key, value }) => `{"key":${JSON.stringify(key)},${textField("value", value)}}`,
  );
  return `[${items.join(",")}]`;
}

/**
 * The text of UTF-8, undefined for other bytes. The lenient decoder is tried first: it is wrong
 * only where it had to replace something, and throwing for each binary value would cost far more.
 */
function decodeText(bytes: Uint8Array): string | undefined {
  const text = utf8.decode(bytes);
  if (!text.includes(replacement)) return text;
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
