/**
 * Receives request bodies within bounds: refused by Content-Length before a byte is read, counted
 * while it streams in when there is none, and again after decompression. What is held is taken from
 * the budget of all requests; when that is full the request is refused, not queued.
 */

import type { ByteBudget } from "../../base/byte-budget.ts";
import type { CodecName, Codecs } from "../../base/codecs.ts";
import { joinedBytes } from "../../base/joined-bytes.ts";
import { isStreamError, StreamError } from "../../base/stream-error.ts";
import type { HandedRequest, RequestHead } from "./request-head.ts";

export interface BodyOptions {
  readonly budget: ByteBudget;
  readonly bytesMax: number;
  readonly codecs: Codecs;
}

/** A body in memory, counted in the budget until `release`. */
export interface ReceivedBody {
  readonly bytes: Uint8Array;
  release(): void;
}

/** The codec of each Content-Encoding taken. */
const encodings: Readonly<Record<string, CodecName>> = {
  identity: "none",
  gzip: "gzip",
  "x-gzip": "gzip",
  zstd: "zstd",
};

/**
 * Reads the whole body, decompressed.
 * @throws StreamError `request_too_large`, `queue_full`, `unsupported_media_type` (an encoding that
 *   is not taken), `invalid_request` (cut off, or not what its encoding says).
 */
export async function receiveBody(
  request: Request | HandedRequest,
  options: BodyOptions,
): Promise<ReceivedBody> {
  const codec = codecOf(request);
  const holding = new Holding(options);
  try {
    const received = await receive(request, holding, options.bytesMax);
    if (codec === "none") return { bytes: received, release: () => holding.release() };
    const bytes = decompress(codec, received, options);
    holding.hold(bytes.length);
    return { bytes, release: () => holding.release() };
  } catch (error) {
    holding.release();
    if (isStreamError(error)) throw error;
    throw new StreamError("invalid_request", "Cannot read the body: it was cut off", {
      cause: error,
    });
  }
}

/** What one request has taken of the budget. */
class Holding {
  readonly #options: BodyOptions;
  #bytes = 0;

  constructor(options: BodyOptions) {
    this.#options = options;
  }

  /** Makes the share at least `bytes`. */
  hold(bytes: number): void {
    if (bytes > this.#options.bytesMax) throw tooLarge(bytes, this.#options.bytesMax);
    if (bytes <= this.#bytes) return;
    if (!this.#options.budget.tryTake(bytes - this.#bytes)) {
      throw new StreamError(
        "queue_full",
        `Cannot take a body of ${bytes} bytes now: requests in flight hold ` +
          `${this.#options.budget.takenBytes} of ${this.#options.budget.capacityBytes} bytes`,
      );
    }
    this.#bytes = bytes;
  }

  release(): void {
    if (this.#bytes > 0) this.#options.budget.give(this.#bytes);
    this.#bytes = 0;
  }
}

async function receive(
  request: Request | HandedRequest,
  holding: Holding,
  bytesMax: number,
): Promise<Uint8Array> {
  if ("handedBody" in request) {
    holding.hold(request.handedBody.length);
    return request.handedBody;
  }
  const stated = request.headers.get("Content-Length");
  if (stated !== null) {
    if (!/^\d{1,15}$/.test(stated)) throw badLength();
    holding.hold(Number(stated));
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.length !== Number(stated)) throw badLength();
    return bytes;
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  if (request.body === null) return new Uint8Array();
  for await (const part of request.body as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > bytesMax) throw tooLarge(length, bytesMax);
    holding.hold(length);
    parts.push(part);
  }
  return joinParts(parts);
}

/** One buffer of all parts; the only part itself when there is one. */
function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  return joinedBytes(parts);
}

function codecOf(request: RequestHead): CodecName {
  const encoding = request.headers.get("Content-Encoding");
  if (encoding === null) return "none";
  const codec = encodings[encoding.trim().toLowerCase()];
  if (codec !== undefined) return codec;
  throw new StreamError(
    "unsupported_media_type",
    `Cannot read a body of Content-Encoding "${encoding}": send gzip, zstd or none`,
    { details: { field: "Content-Encoding", expected: "gzip, zstd or identity" } },
  );
}

function decompress(codec: CodecName, bytes: Uint8Array, options: BodyOptions): Uint8Array {
  try {
    return options.codecs.decompress(codec, bytes, { sizeMax: options.bytesMax });
  } catch (error) {
    if (isStreamError(error, "record_too_large")) throw tooLarge(undefined, options.bytesMax);
    throw new StreamError("invalid_request", `Cannot decompress the body: it is not ${codec}`, {
      details: { field: "Content-Encoding", expected: `a body compressed by ${codec}` },
      cause: error,
    });
  }
}

function tooLarge(bytes: number | undefined, bytesMax: number): StreamError {
  const size = bytes === undefined ? "a body that is larger" : `a body of ${bytes} bytes`;
  return new StreamError(
    "request_too_large",
    `Cannot take ${size}: at most ${bytesMax} bytes are allowed; send several requests`,
    { details: { bytesMax } },
  );
}

function badLength(): StreamError {
  return new StreamError(
    "invalid_request",
    "Cannot read the body: Content-Length is not its length",
    {
      details: { field: "Content-Length", expected: "the length of the body in bytes" },
    },
  );
}
