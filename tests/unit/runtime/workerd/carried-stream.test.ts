import { describe, expect, test } from "bun:test";
import {
  asksForStream,
  carriedBody,
  carryingRequest,
  liveViewOf,
  mayAskForView,
} from "../../../../src/runtime/workerd/carried-stream.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

type Listener = (event: { readonly data?: unknown }) => void;

/** A socket whose other end is the test. */
function socket() {
  const listeners = new Map<string, Listener>();
  const sent: number[] = [];
  const made = { isAccepted: false, isClosed: false };
  return {
    sent,
    made,
    say: (...texts: string[]) => {
      for (const data of texts) listeners.get("message")?.({ data });
    },
    drop: () => listeners.get("close")?.({}),
    end: {
      accept: () => {
        made.isAccepted = true;
      },
      send: (message: string) => void sent.push(JSON.parse(message).credit),
      close: () => {
        made.isClosed = true;
      },
      addEventListener: (type: string, listener: Listener) => void listeners.set(type, listener),
    },
  };
}

const { timers } = createVirtualPlatform({ seed: 1 });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const record = (text: string) => `id: c\ndata: ${text}\n\n`;

function readerOf(end: Parameters<typeof carriedBody>[0]) {
  const reader = carriedBody(end, timers).getReader();
  const next = async () => {
    const { value } = await reader.read();
    return value === undefined ? undefined : new TextDecoder().decode(value);
  };
  return { next, cancel: () => reader.cancel() };
}

describe("carriedBody", () => {
  test("gives what the object says, and ends when the socket does", async () => {
    const { end, say, drop, made } = socket();
    const { next } = readerOf(end);
    expect(made.isAccepted).toBe(true);
    say("retry: 1\nid: c\n\n", record("1"));
    expect(await next()).toBe(`retry: 1\nid: c\n\n${record("1")}`);
    const waiting = next();
    await turn();
    say(record("2"));
    expect(await waiting).toBe(record("2"));
    drop();
    expect(await next()).toBeUndefined();
  });

  test("asks for more when the client has taken half of it, in few messages", async () => {
    const { end, say, sent } = socket();
    const { next } = readerOf(end);
    const first = next();
    await turn();
    expect(sent).toEqual([32]);
    say("retry: 1\nid: c\n\n");
    await first;
    for (let each = 0; each < 16; each++) say(record("12"));
    await next();
    // The records are small, and so many more may be on their way.
    expect(sent).toEqual([32, 240]);
    for (let each = 0; each < 100; each++) say(record("12"));
    await next();
    expect(sent).toEqual([32, 240]);
    say(record("x".repeat(1_000_000)));
    await next();
    for (let each = 0; each < 154; each++) say(record("12"));
    await next();
    void next();
    await turn();
    expect(sent).toHaveLength(3);
    // One was large, and so less may be.
    expect(sent[2]).toBeLessThan(100);
  });

  test("asks for nothing while the client takes nothing, and closes when it leaves", async () => {
    const { end, say, sent, made } = socket();
    const { next, cancel } = readerOf(end);
    say(record("1"));
    await next();
    const asked = sent.length;
    for (let each = 0; each < 31; each++) say(record("1"));
    await turn();
    expect(sent.length).toBe(asked);
    await cancel();
    expect(made.isClosed).toBe(true);
  });
});

describe("an event stream's request", () => {
  const url = "https://log.example/v1/topics/orders/stream?offset=earliest&token=t";

  test("is known by its path and method", () => {
    const pathname = new URL(url).pathname;
    expect(asksForStream(new Request(url), pathname)).toBe(true);
    expect(asksForStream(new Request(url, { method: "POST" }), pathname)).toBe(false);
    expect(asksForStream(new Request(url), "/v1/topics/orders/ws")).toBe(false);
    expect(asksForStream(new Request(url), "/v1/topics/orders/stream/more")).toBe(false);
  });

  test("reaches its object with all that it says", () => {
    const headers = { "Last-Event-ID": "c", Origin: "https://shop.example" };
    const asked = carryingRequest(new Request(url, { headers }));
    expect(asked.url).toBe(url);
    expect(Object.fromEntries(asked.headers)).toEqual({
      "last-event-id": "c",
      origin: "https://shop.example",
      upgrade: "websocket",
    });
  });
});

describe("a live view that is asked for by POST", () => {
  const asked = (body: object, headers: Record<string, string> = {}) => {
    const text = JSON.stringify(body);
    const init = {
      ...{ method: "POST", body: text },
      headers: {
        ...{ Accept: "text/event-stream", "Content-Type": "application/json" },
        ...{ "Content-Length": String(text.length), Authorization: "Bearer x", ...headers },
      },
    };
    return { request: new Request("https://x.example/v1/sql", init), text };
  };
  const sql = "SELECT * FROM v emit  changes";

  test("is the GET that says the same, without what belongs to the body", () => {
    const { request, text } = asked({ sql, cursor: "c7" });
    expect(mayAskForView(request, "/v1/sql")).toBe(true);
    const view = liveViewOf(request, text);
    const carrying = carryingRequest(view as Request);
    expect(carrying.method).toBe("GET");
    expect([...new URL(carrying.url).searchParams]).toEqual([
      ["sql", sql],
      ["cursor", "c7"],
    ]);
    expect(Object.fromEntries(carrying.headers)).toEqual({
      ...{ accept: "text/event-stream", authorization: "Bearer x", upgrade: "websocket" },
    });
  });

  test("is nothing else: other answers, settings, what ends, no JSON, what is long", () => {
    const may = (request: Request, path = "/v1/sql") => mayAskForView(request, path);
    expect(may(asked({ sql }, { Accept: "application/x-ndjson" }).request)).toBe(false);
    expect(may(asked({ sql }, { "Content-Length": "5000" }).request)).toBe(false);
    expect(may(asked({ sql }).request, "/v1/queries")).toBe(false);
    const { request } = asked({ sql });
    for (const body of [{ sql, settings: {} }, { sql: "SELECT 1" }, { sql: [sql] }]) {
      expect(liveViewOf(request, JSON.stringify(body))).toBeUndefined();
    }
    expect(liveViewOf(request, `${sql} {`)).toBeUndefined();
  });
});
