import { describe, expect, test } from "bun:test";
import { present } from "../../../../src/base/assert.ts";
import type { MessageSocket, SocketHandler } from "../../../../src/base/message-socket.ts";
import { createHttpSurface } from "../../../../src/server/http/app.ts";
import { createHttpFixture, type HttpFixture } from "../../../support/http-fixture.ts";

const handshake = { Upgrade: "websocket", Connection: "Upgrade" };

class FakeSocket implements MessageSocket {
  /** What it left when it came to rest. */
  readonly states: string[] = [];
  /** Answers to the next questions whether it may rest; then it may. */
  readonly restAnswers: ("again" | "refused")[] = [];
  rest?: (state: string) => "resting" | "again" | "refused";
  bufferedBytes = 0;
  readonly messages: { cursor?: string; event?: string; data?: { value?: string } }[] = [];
  end: { code: number; reason: string } | undefined;
  handler: SocketHandler | undefined;
  protocol: string | undefined;

  send(message: string | Uint8Array): void {
    this.messages.push(JSON.parse(String(message)));
  }

  close(code: number, reason: string): void {
    this.end ??= { code, reason };
    queueMicrotask(() => this.handler?.closed());
  }

  credit(credit: unknown): void {
    this.handler?.received(JSON.stringify({ credit }));
  }

  values(): unknown[] {
    return this.messages.flatMap(({ data }) => (data === undefined ? [] : [data.value]));
  }
}

/** A topic with these values, and what opens sockets on it. */
async function fixture(values: readonly string[], settings: object = {}) {
  const sockets: FakeSocket[] = [];
  const made = createHttpFixture({
    settings,
    upgradeSocket: (_request, { handler, protocol }) => {
      const socket = new FakeSocket();
      Object.assign(socket, { handler, protocol });
      sockets.push(socket);
      handler.opened(socket);
      return new Response(null, { status: 101 });
    },
  });
  await made.ask("/v1/topics", { method: "POST", json: { name: "t", partitions: 2 } });
  await append(made, values);
  const open = async (query = "offset=earliest", headers: Record<string, string> = {}) => {
    const path = `/v1/topics/t/ws?${query}`;
    const { status } = await made.ask(path, { headers: { ...handshake, ...headers } });
    return { status, socket: sockets.at(-1) };
  };
  return {
    ...made,
    open,
    opened: async (query?: string) => present((await open(query)).socket, "socket"),
  };
}

/** A socket as an object has it that may sleep, and what makes its handler anew. */
async function restful(values: readonly string[], answers: readonly ("again" | "refused")[] = []) {
  const sockets: FakeSocket[] = [];
  const { context, ask } = createHttpFixture();
  const rest = (socket: FakeSocket) => {
    socket.restAnswers.push(...answers);
    socket.rest = (state) => {
      const answer = socket.restAnswers.shift();
      if (answer !== undefined) return answer;
      socket.states.push(state);
      return "resting";
    };
  };
  const { app, sockets: made } = createHttpSurface({
    ...context,
    upgradeSocket: (_request, { handler }) => {
      const socket = new FakeSocket();
      rest(socket);
      sockets.push(socket);
      socket.handler = handler;
      handler.opened(socket);
      return new Response(null, { status: 101 });
    },
  });
  await ask("/v1/topics", { method: "POST", json: { name: "t", partitions: 1 } });
  await append({ ask }, values);
  const url = "http://localhost/v1/topics/t/ws?offset=earliest";
  await app.fetch(new Request(url, { headers: handshake }));
  const socket = present(sockets[0], "socket");
  const resume = async (credit: number) => {
    socket.handler = await made.resume(present(socket.states.at(-1), "state"));
    socket.handler.opened(socket);
    socket.credit(credit);
  };
  return { ask, socket, resume };
}

async function append({ ask }: Pick<HttpFixture, "ask">, values: readonly string[]) {
  if (values.length === 0) return;
  const records = values.map((value) => ({ value, partition: 0 }));
  await ask("/v1/topics/t/records", { method: "POST", json: { records } });
}

/** Turns of the event loop until `isSo`, and some more in which it must stay so. */
async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !isSo(); turn++) await Bun.sleep(1);
  expect(isSo()).toBe(true);
  for (let turn = 0; turn < 5; turn++) await Bun.sleep(1);
  expect(isSo()).toBe(true);
}

describe("WebSockets", () => {
  test("give the place at once, and records only for credit", async () => {
    const { opened } = await fixture(["a", "b", "c", "d"]);
    const socket = await opened();
    await until(() => socket.messages.length === 1);
    expect(socket.messages[0]).toEqual({ cursor: expect.any(String) });
    socket.credit(1);
    await until(() => socket.values().join() === "a");
    socket.credit(2);
    await until(() => socket.values().join() === "a,b,c");
    expect(socket.messages[1]).toMatchObject({ data: { partition: 0, offset: 0, value: "a" } });
  });

  test("go on behind any cursor", async () => {
    const made = await fixture(["a", "b", "c"]);
    const first = await made.opened();
    first.credit(2);
    await until(() => first.values().length === 2);
    const { cursor } = present(first.messages.at(-1), "message");
    const second = await made.opened(`cursor=${cursor}`);
    second.credit(10);
    await until(() => second.values().join() === "c");
    await append(made, ["d"]);
    await until(() => second.values().join() === "c,d");
  });

  test("wait for a client that takes nothing, whatever its credit", async () => {
    const { opened } = await fixture(Array.from({ length: 500 }, () => "x".repeat(1000)));
    const socket = await opened();
    socket.bufferedBytes = 300_000;
    socket.credit(500);
    const count = () => socket.values().length;
    await until(() => count() > 0 && count() <= 100);
    socket.bufferedBytes = 0;
    await until(() => count() === 500);
  });

  test("close on messages that are no credit, and on too much of it", async () => {
    const { opened } = await fixture([]);
    for (const message of ["x", "{ }", '{"credit":0}', '{"credit":"1"}', '{"credit":1e9}', "[]"]) {
      const socket = await opened();
      present(socket.handler, "handler").received(message);
      expect([message, socket.end?.code]).toEqual([message, 1008]);
    }
    const socket = await opened();
    present(socket.handler, "handler").received(new Uint8Array([1]));
    expect(socket.end?.code).toBe(1008);
  });

  test("answer who asks whether they are there", async () => {
    const { opened } = await fixture([]);
    const socket = await opened();
    while (socket.messages.length === 0) await Bun.sleep(1);
    present(socket.handler, "handler").received("{}");
    expect(socket.messages.slice(1)).toEqual([{}]);
    expect(socket.end).toBeUndefined();
  });

  test("say what retention took, and what ends them", async () => {
    const made = await fixture(["a", "b", "c"]);
    const topic = present(await made.log.byName("t"), "topic");
    const socket = await made.opened("offset=earliest");
    await until(() => socket.messages.length === 1);
    await made.log.deleteRecords(topic, 0, 2);
    socket.credit(10);
    await until(() => socket.messages.length === 3);
    expect(socket.messages[1]).toMatchObject({
      ...{ event: "gap", data: { partition: 0, from: 0, to: 2 } },
    });
    await made.ask("/v1/topics/t", { method: "DELETE" });
    await until(() => socket.end?.code === 1011);
    expect(socket.messages.at(-1)).toMatchObject({
      ...{ event: "problem", data: { code: "topic_unknown" } },
    });
  });

  test("close when the server stops, and are counted while they are open", async () => {
    const made = await fixture([]);
    const [one, two] = [await made.opened(), await made.opened()];
    const counted = () => /millrace_http_sockets (\d)/.exec(made.metrics.print())?.[1];
    expect(counted()).toBe("2");
    one.handler?.closed();
    expect(counted()).toBe("1");
    made.stop();
    await until(() => two.end?.code === 1001 && counted() === "0");
  });

  test("are refused with a problem before they open", async () => {
    const made = await fixture([], { origins: ["https://app.example"] });
    const statusOf = async (query: string, headers: Record<string, string> = {}) =>
      (await made.open(query, headers)).status;
    expect(await statusOf("", { Origin: "https://evil.example" })).toBe(403);
    expect(await statusOf("", { Origin: "https://app.example" })).toBe(101);
    expect(await statusOf("cursor=x")).toBe(400);
    expect(await statusOf("", { "Sec-WebSocket-Protocol": "mqtt" })).toBe(400);
    const plain = await made.ask("/v1/topics/t/ws");
    expect([plain.status, plain.headers.get("Upgrade")]).toEqual([426, "websocket"]);
    const gone = await made.ask("/v1/topics/other/ws", { headers: handshake });
    expect(gone.status).toBe(404);
  });

  test("take an access token among the protocols", async () => {
    const made = await fixture(["a"], { token: "secret", isLoopback: false });
    const server = { Authorization: "Bearer secret" };
    await made.ask("/v1/topics", { method: "POST", json: { name: "t" }, headers: server });
    const shop = "https://shop.example";
    const json = { topics: ["t"], operations: ["read"], origins: [shop] };
    const answer = await made.ask("/v1/tokens", { method: "POST", json, headers: server });
    const { token } = (await answer.json()) as { token: string };
    const offer = { Origin: shop, "Sec-WebSocket-Protocol": `millrace, ${token}` };
    const { status, socket } = await made.open("", offer);
    expect([status, socket?.protocol]).toEqual([101, "millrace"]);
    expect((await made.open("", { ...offer, Origin: "https://evil.example" })).status).toBe(403);
    expect((await made.open("", { Origin: shop })).status).toBe(403);
    expect((await made.open("")).status).toBe(401);
  });
});

describe("a socket whose handler may rest", () => {
  const rested = (socket: FakeSocket, count: number) => until(() => socket.states.length === count);

  test("rests without credit and with nothing new, and goes on where it was", async () => {
    const { ask, socket, resume } = await restful(["a", "b", "c"]);
    await rested(socket, 1);
    await resume(2);
    await rested(socket, 2);
    expect(socket.values()).toEqual(["a", "b"]);
    await resume(5);
    await rested(socket, 3);
    expect(socket.values()).toEqual(["a", "b", "c"]);
    expect(JSON.parse(socket.states.at(-1) ?? "")).toMatchObject({ topic: "t", credit: 4 });
    await append({ ask }, ["d"]);
    await resume(1);
    await rested(socket, 4);
    expect(socket.values()).toEqual(["a", "b", "c", "d"]);
    // The place before any record is told once.
    expect(socket.messages.filter(({ data }) => data === undefined)).toHaveLength(1);
  });

  test("looks again when it was told of news before it rests", async () => {
    const { ask, socket, resume } = await restful([]);
    await rested(socket, 1);
    const answer = socket.rest;
    let isTold = false;
    socket.rest = (state) => {
      if (isTold) return answer?.(state) ?? "refused";
      isTold = true;
      void append({ ask }, ["between"]);
      return "again";
    };
    await resume(10);
    await until(() => socket.values().length === 1 || socket.states.length > 1);
    expect(isTold).toBe(true);
  });

  test("stays awake with a place that is too large to be kept", async () => {
    const { ask, socket, resume } = await restful([]);
    await rested(socket, 1);
    socket.restAnswers.push("refused");
    await resume(10);
    await until(() => socket.restAnswers.length === 0);
    await append({ ask }, ["awake"]);
    await until(() => socket.values().length === 1);
    expect(socket.states).toHaveLength(1);
    socket.handler?.closed();
  });

  test("a wrong message ends it also when it has just been made anew", async () => {
    const { socket, resume } = await restful([]);
    await rested(socket, 1);
    await resume(-1);
    await until(() => socket.end !== undefined);
    expect(socket.end?.code).toBe(1008);
  });
});
