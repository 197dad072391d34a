import { afterAll, describe, expect, test } from "bun:test";
import { CommandError } from "../../../src/cli/command.ts";
import { KafkaShim } from "../../../src/cli/kafka-shim.ts";
import { listenTcp } from "../../../src/runtime/node/tcp-listener.ts";
import { eventually } from "../../support/processes.ts";

const advertised = { host: "shim.local", port: 19092 };
const asked: { path: string; token: string | null }[] = [];

/** Takes tunnels that show the token, and sends back what comes. */
const worker = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request, server) {
    const { pathname, search } = new URL(request.url);
    const token = request.headers.get("Authorization");
    asked.push({ path: pathname + search, token });
    if (token !== "Bearer secret") {
      const problem = { status: 401, code: "unauthorized", title: "x", detail: "no such token" };
      return Response.json(problem, { status: 401 });
    }
    if (server.upgrade(request)) return undefined;
    return new Response("{}", { status: 426 });
  },
  websocket: {
    message(socket, message) {
      if (typeof message !== "string") socket.send(message);
    },
  },
});
afterAll(() => worker.stop(true));

const shim = (token: string | undefined, url = `ws://127.0.0.1:${worker.port}`) =>
  new KafkaShim({ url, token, advertised });

const failureOf = (made: Promise<unknown>) =>
  made.then(
    () => undefined,
    (error: unknown) => error as CommandError,
  );

describe("KafkaShim", () => {
  test("asks for the tunnel with the token and the address that clients are told", async () => {
    await shim("secret").check();
    expect(asked.at(-1)).toEqual({
      path: "/kafka?advertised=shim.local%3A19092",
      token: "Bearer secret",
    });
  });

  test("says why there is no tunnel", async () => {
    const refused = await failureOf(shim("guess").check());
    expect(refused).toBeInstanceOf(CommandError);
    expect(refused?.message).toContain("no such token");
    const nobody = await failureOf(shim("secret", "wss://127.0.0.1:1").check());
    expect(nobody).toMatchObject({ code: "unreachable" });
    expect(nobody?.message).toContain("https://127.0.0.1:1");
  });

  test("carries bytes both ways, and closes a client that gets no tunnel", async () => {
    const failures: unknown[] = [];
    let token = "secret";
    const listener = await listenTcp({
      ...{ host: "127.0.0.1", port: 0, unreadBytesMax: 1 << 20 },
      onConnection: (client) => {
        void shim(token)
          .carry(client)
          .catch((error: unknown) => failures.push(error));
      },
    });
    const connect = async () => {
      const { promise: closed, resolve } = Promise.withResolvers<void>();
      const received: number[] = [];
      const { promise: enough, resolve: done } = Promise.withResolvers<void>();
      const socket = await Bun.connect({
        ...{ hostname: "127.0.0.1", port: listener.port },
        socket: {
          data(_, data) {
            received.push(...data);
            if (received.length >= 5) done();
          },
          close: () => resolve(),
        },
      });
      return { socket, received, enough, closed };
    };
    const client = await connect();
    client.socket.write(new Uint8Array([1, 2, 3, 4, 5]));
    await client.enough;
    expect(client.received).toEqual([1, 2, 3, 4, 5]);
    client.socket.end();
    token = "guess";
    const refused = await connect();
    await refused.closed;
    // The client is closed before it is asked why.
    await eventually(async () => failures[0]);
    await listener.close();
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ message: expect.stringContaining("no such token") });
  }, 20_000);
});
