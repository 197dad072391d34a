import { describe, expect, test } from "bun:test";
import { type HttpAnswer, HttpAnswerReader } from "../../../src/runtime/http-answer.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function shown(answer: HttpAnswer | undefined) {
  if (answer === undefined) return undefined;
  const { status, headers, body, staysOpen } = answer;
  return { status, etag: headers.get("etag"), body: decoder.decode(body), staysOpen };
}

/** What `text` gives whole, and that it gives the same at every cut and nothing before its end. */
function answerTo(text: string) {
  const bytes = encoder.encode(text);
  const whole = shown(new HttpAnswerReader().push(bytes));
  for (let cut = 1; cut < bytes.length; cut++) {
    const reader = new HttpAnswerReader();
    expect(reader.push(bytes.subarray(0, cut))).toBeUndefined();
    expect(shown(reader.push(bytes.subarray(cut)))).toEqual(whole);
  }
  return whole;
}

describe("HttpAnswerReader", () => {
  test("reads an answer with a length, at every cut", () => {
    const text = 'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 3\r\n\r\nabc';
    expect(answerTo(text)).toEqual({ status: 200, etag: '"x"', body: "abc", staysOpen: true });
  });

  test("reads chunks with extensions and trailers", () => {
    const text =
      "HTTP/1.1 503 Slow Down\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "5;a=b\r\n<Err>\r\n10\r\n0123456789abcdef\r\n0\r\nX-T: 1\r\n\r\n";
    expect(answerTo(text)).toEqual({
      ...{ status: 503, etag: null, staysOpen: true },
      body: "<Err>0123456789abcdef",
    });
  });

  test("passes over interim answers", () => {
    const text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    expect(answerTo(text)).toEqual({ status: 204, etag: null, body: "", staysOpen: true });
  });

  test("tells a connection that ends from one that stays", () => {
    const closes = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    expect(answerTo(closes)?.staysOpen).toBe(false);
    expect(answerTo("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")?.staysOpen).toBe(false);
    const more = new HttpAnswerReader().push(
      encoder.encode("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP"),
    );
    expect(more?.staysOpen).toBe(false);
  });

  test("takes the end of the connection for that of a body without a length", () => {
    const reader = new HttpAnswerReader();
    expect(reader.push(encoder.encode("HTTP/1.1 500 Oops\r\n\r\nab"))).toBeUndefined();
    const answer = { status: 500, etag: null, body: "ab", staysOpen: false };
    expect(shown(reader.end())).toEqual(answer);
  });

  test("gives no answer when the connection ends within one", () => {
    const reader = new HttpAnswerReader();
    reader.push(encoder.encode("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"));
    expect(reader.end()).toBeUndefined();
  });

  for (const [name, text] of [
    ["no HTTP", "SSH-2.0-x\r\n\r\n"],
    ["a line that is no header", "HTTP/1.1 200 OK\r\nnothing\r\n\r\n"],
    ["too long a body", "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"],
    ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"],
    ["a chunk without a size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ["an endless head", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(70_000)}`],
  ] as const) {
    test(`refuses ${name}`, () => {
      expect(() => new HttpAnswerReader().push(encoder.encode(text))).toThrow();
    });
  }
});
