/**
 * Reads one HTTP/1.1 answer from the bytes of a connection (RFC 9112): status line, headers, and a
 * body by Content-Length, in chunks, or up to the end of the connection. Interim answers (1xx) are
 * passed over. For answers to PUTs, which are short: what is longer than the bound is refused.
 */
import { joinedBytes } from "../base/joined-bytes.ts";

const headBytesMax = 64 * 1024;
const bodyBytesMax = 1024 * 1024;

const latin1 = new TextDecoder("latin1");

export interface HttpAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  /** The connection may carry another request. */
  readonly staysOpen: boolean;
}

interface Head extends Pick<HttpAnswer, "status" | "statusText" | "headers"> {
  readonly isHttp10: boolean;
  readonly bodyStart: number;
}

export class HttpAnswerReader {
  #bytes = new Uint8Array(0);

  /** The answer once it is whole. Errors: what is no HTTP, or too long. */
  push(chunk: Uint8Array): HttpAnswer | undefined {
    const joined = new Uint8Array(this.#bytes.length + chunk.length);
    joined.set(this.#bytes);
    joined.set(chunk, this.#bytes.length);
    this.#bytes = joined;
    return this.#read(false);
  }

  /** The connection has ended: an answer without a stated length ends with it. */
  end(): HttpAnswer | undefined {
    return this.#read(true);
  }

  #read(ended: boolean): HttpAnswer | undefined {
    for (;;) {
      const head = headOf(this.#bytes);
      if (head === undefined) return undefined;
      if (head.status >= 200 || head.status === 101) return answerOf(head, this.#bytes, ended);
      this.#bytes = this.#bytes.slice(head.bodyStart);
    }
  }
}

function headOf(bytes: Uint8Array): Head | undefined {
  const text = latin1.decode(bytes.subarray(0, headBytesMax));
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) {
    if (bytes.length >= headBytesMax) throw new Error("The head of an HTTP answer is too long");
    return undefined;
  }
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const [, minor, status, statusText = ""] =
    /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(first) ?? [];
  if (status === undefined) throw new Error(`No HTTP answer begins with ${first.slice(0, 100)}`);
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) throw new Error("An HTTP answer has a line that is no header");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return {
    status: Number(status),
    statusText,
    headers,
    isHttp10: minor === "0",
    bodyStart: end + 4,
  };
}

function answerOf(head: Head, bytes: Uint8Array, ended: boolean): HttpAnswer | undefined {
  const { status, statusText, headers, isHttp10, bodyStart } = head;
  const rest = bytes.subarray(bodyStart);
  if (rest.length > bodyBytesMax) throw new Error("The body of an HTTP answer is too long");
  const answer = { status, statusText, headers };
  const connection = headers.get("connection")?.toLowerCase() ?? "";
  const persists = isHttp10 ? connection.includes("keep-alive") : !connection.includes("close");
  const hasNone = status === 204 || status === 304;
  if (!hasNone && headers.get("transfer-encoding") !== null) {
    const body = unchunked(rest);
    return body && { ...answer, body, staysOpen: persists };
  }
  const stated = hasNone ? "0" : headers.get("content-length");
  if (stated === null) {
    // Its end is that of the connection.
    return ended ? { ...answer, body: rest.slice(), staysOpen: false } : undefined;
  }
  const length = Number(stated);
  if (!(length <= bodyBytesMax)) throw new Error(`An HTTP answer of ${stated} bytes is too long`);
  if (rest.length < length) return undefined;
  // More than was stated belongs to no request of ours.
  const staysOpen = persists && rest.length === length;
  return { ...answer, body: rest.slice(0, length), staysOpen };
}

/** The chunks joined; undefined while the last one, its trailers included, has not come. */
function unchunked(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const parts: Uint8Array[] = [];
  let position = 0;
  for (;;) {
    const text = latin1.decode(bytes.subarray(position, position + 1024));
    const lineEnd = text.indexOf("\r\n");
    if (lineEnd < 0) {
      if (text.length >= 1024) throw new Error("An HTTP answer has no size of its chunk");
      return undefined;
    }
    const size = /^[0-9a-fA-F]{1,7}(?=$|[;\s])/.exec(text.slice(0, lineEnd))?.[0];
    if (size === undefined) throw new Error("An HTTP answer has no size of its chunk");
    const start = position + lineEnd + 2;
    const length = Number.parseInt(size, 16);
    if (length === 0) {
      const trailers = latin1.decode(bytes.subarray(start - 2));
      return trailers.includes("\r\n\r\n") ? joinedBytes(parts) : undefined;
    }
    if (bytes.length < start + length + 2) return undefined;
    parts.push(bytes.subarray(start, start + length));
    position = start + length + 2;
  }
}
