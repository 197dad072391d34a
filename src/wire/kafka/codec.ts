/**
 * Bytes to values and back, for every message that has a field table. The reader and the writer of
 * a version are compiled at its first use and kept with the table.
 */
import { StreamError } from "../../base/stream-error.ts";
import type { Decoded, MessageShape, MessageTable } from "./field-table.ts";
import { compileDecoder, type Decode } from "./message-decoder.ts";
import { compileEncoder, type Encode } from "./message-encoder.ts";
import { WireFault } from "./wire-fault.ts";
import { WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

/**
 * Most array elements in one message. A hostile frame of empty structs would else become objects
 * of thirty times its size.
 */
const messageElementsMax = 1_048_576;

/** Encoded bytes as chunks to be sent in order; they belong to the caller. */
export interface EncodedMessage {
  readonly chunks: readonly Uint8Array[];
  /** Sum of the chunks' lengths. */
  readonly byteLength: number;
}

export interface DecodeOptions {
  /** Where in the bytes the message begins; default 0. */
  readonly position?: number;
  readonly elementsMax?: number;
  /** Bytes after the message: an error, or (embedded schemas of newer clients) ignored. */
  readonly trailing?: "refuse" | "ignore";
}

interface Compiled {
  readonly decode: Map<number, Decode>;
  readonly encode: Map<number, Encode>;
}

const compiledMessages = new WeakMap<MessageShape, Compiled>();

function compiledOf(message: MessageShape): Compiled {
  let compiled = compiledMessages.get(message);
  if (compiled === undefined) {
    compiled = { decode: new Map(), encode: new Map() };
    compiledMessages.set(message, compiled);
  }
  return compiled;
}

function compile<F>(
  cache: Map<number, F>,
  { message, version, make }: MessageVersion & { make: (m: MessageShape, v: number) => F },
): F {
  const { min, max } = message.versions;
  if (!Number.isInteger(version) || version < min || version > max) {
    throw new StreamError(
      "unsupported_version",
      `Cannot use ${message.name} ${version}: its versions are ${min} to ${max}`,
      { details: { version, min, max } },
    );
  }
  const made = make(message, version);
  cache.set(version, made);
  return made;
}

interface MessageVersion {
  readonly message: MessageShape;
  readonly version: number;
}

/**
 * Reads one message, which must fill `bytes` from `position` on. Bytes and records in the result
 * are views into `bytes`.
 *
 * Throws StreamError invalid_request with message, version, field and position when the bytes are
 * not such a message, unsupported_version when the table has no such version.
 */
export function decodeMessage<T>(
  message: MessageTable<T>,
  version: number,
  bytes: Uint8Array,
  options: DecodeOptions = {},
): Decoded<T> {
  const cache = compiledOf(message).decode;
  const decode = cache.get(version) ?? compile(cache, { message, version, make: compileDecoder });
  const elementsMax = options.elementsMax ?? messageElementsMax;
  const reader = new WireReader(bytes, options.position ?? 0, elementsMax);
  try {
    const value = decode(reader);
    if (reader.remaining > 0 && options.trailing !== "ignore") {
      throw reader.fault(`${reader.remaining} bytes follow the message`);
    }
    return value as Decoded<T>;
  } catch (error) {
    if (error instanceof WireFault) throw error.toStreamError(`read ${message.name} ${version}`);
    throw error;
  }
}

/**
 * Writes one message. Byte and record values of 1 KiB and more become chunks of their own, not
 * copied: they must stay as they are until sent.
 *
 * Throws StreamError invalid_request when a value does not fit its field, unsupported_version when
 * the table has no such version or the version lacks a field that is set, not ignorable and not
 * tagged.
 */
export function encodeMessage<T>(
  message: MessageTable<T>,
  version: number,
  value: T,
): EncodedMessage {
  const writer = new WireWriter();
  writeMessage(writer, message, version, value);
  return { chunks: writer.finish(), byteLength: writer.byteLength };
}

/** As encodeMessage, after what `writer` has already. */
export function writeMessage<T>(
  writer: WireWriter,
  message: MessageTable<T>,
  version: number,
  value: T,
): void {
  const cache = compiledOf(message).encode;
  const encode = cache.get(version) ?? compile(cache, { message, version, make: compileEncoder });
  try {
    encode(writer, value);
  } catch (error) {
    if (error instanceof WireFault) throw error.toStreamError(`write ${message.name} ${version}`);
    throw error;
  }
}
