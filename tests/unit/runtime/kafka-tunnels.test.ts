import { expect, test } from "bun:test";
import type { ByteDuplex } from "../../../src/base/byte-duplex.ts";
import type { MessageSocket } from "../../../src/base/message-socket.ts";
import { kafkaTunnels } from "../../../src/runtime/kafka-tunnels.ts";
import type { KafkaContext } from "../../../src/server/kafka/context.ts";
import { createKafkaFixture } from "../../support/kafka-fixture.ts";

const address = { host: "shim.example", port: 19_092 };

interface Served {
  readonly duplex: ByteDuplex;
  readonly context: KafkaContext;
}

/** A tunnel to a worker with a token and two nodes, and what it gave to be served. */
async function openTunnel(asksSasl: boolean) {
  const node = (nodeId: number) => ({
    ...{ nodeId, kafkaHost: `worker-${nodeId}`, kafkaPort: 9092 },
    httpUrl: `http://worker-${nodeId}`,
  });
  const nodes = [node(1), node(2)];
  const { context } = createKafkaFixture({ settings: { token: "secret" }, log: { nodes } });
  const served: Served[] = [];
  const open = kafkaTunnels(context, (duplex, own) => served.push({ duplex, context: own }));
  const handler = await open({ address, asksSasl });
  const sent: (string | Uint8Array)[] = [];
  const closed: number[] = [];
  const socket: MessageSocket = {
    bufferedBytes: 0,
    send: (message) => void sent.push(message),
    close: (code) => void closed.push(code),
  };
  return { context, served, handler, socket, sent, closed };
}

test("a tunnel serves nobody before its socket is open, then one connection", async () => {
  const { served, handler, socket } = await openTunnel(false);
  expect(served).toEqual([]);
  handler.opened(socket);
  expect(served).toHaveLength(1);
});

test("its clients see one broker, at the address of the handshake, that leads all", async () => {
  const { context, served, handler, socket } = await openTunnel(false);
  handler.opened(socket);
  const cluster = served[0]?.context.cluster;
  expect(cluster?.cluster()).toEqual({
    clusterId: context.log.cluster().clusterId,
    selfNodeId: 0,
    nodes: [{ nodeId: 0, kafkaHost: address.host, kafkaPort: address.port, httpUrl: "" }],
  });
  const elsewhere = { nodeId: 2, host: "worker-2", port: 9092 };
  expect(cluster?.placeOf(elsewhere)).toEqual({ nodeId: 0, ...address });
  // All else is the worker's own.
  const { settings: _, cluster: __, ...own } = served[0]?.context ?? context;
  for (const [name, value] of Object.entries(own)) {
    expect(value, name).toBe(context[name as keyof typeof own]);
  }
});

test("who opened it has shown the token; SASL asks again only where the handshake says so", async () => {
  for (const [asksSasl, token] of [
    [false, null],
    [true, "secret"],
  ] as const) {
    const { context, served, handler, socket } = await openTunnel(asksSasl);
    handler.opened(socket);
    expect(served[0]?.context.settings).toEqual({ ...context.settings, token });
  }
});

test("binary messages are its bytes, and it ends with the socket", async () => {
  const { served, handler, socket, sent, closed } = await openTunnel(false);
  handler.opened(socket);
  const duplex = served[0]?.duplex;
  if (duplex === undefined) throw new Error("nothing was served");
  const chunks: number[] = [];
  const reading = (async () => {
    for await (const chunk of duplex.incoming) chunks.push(...chunk);
  })();
  handler.received(new Uint8Array([1, 2]));
  handler.received(new Uint8Array([3]));
  await duplex.write([new Uint8Array([4, 5])]);
  expect(sent).toEqual([new Uint8Array([4, 5])]);
  handler.closed();
  await reading;
  expect(chunks).toEqual([1, 2, 3]);
  expect(closed).toEqual([]);
});

test("text that grants nothing breaks the tunnel off", async () => {
  const { served, handler, socket, closed } = await openTunnel(false);
  handler.opened(socket);
  handler.received("hello");
  expect(closed).toHaveLength(1);
  const reading = served[0]?.duplex.incoming[Symbol.asyncIterator]().next();
  await expect(Promise.resolve(reading)).rejects.toThrow();
});
