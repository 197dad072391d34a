import { expect, test } from "bun:test";
import type { ByteDuplex } from "../../../../src/base/byte-duplex.ts";
import { KafkaService } from "../../../../src/runtime/node/kafka-service.ts";
import { createKafkaFixture, KafkaClient } from "../../../support/kafka-fixture.ts";

test("KafkaService closes connections over its limit, with one line, and takes others later", async () => {
  const { context, lines } = createKafkaFixture();
  const stopping = new AbortController();
  const service = new KafkaService(stopping.signal, 2);
  let accept: (duplex: ByteDuplex) => void = () => {};
  const listen = async (options: { onConnection: (duplex: ByteDuplex) => void }) => {
    accept = options.onConnection;
    return { port: 9092, close: async () => {} };
  };
  await service.listen(listen, { host: "127.0.0.1", port: 0, unreadBytesMax: 1024 * 1024 });
  service.serve(context);
  const clients = Array.from({ length: 4 }, () => new KafkaClient());
  for (const { duplex } of clients) accept(duplex);
  expect(clients.map(({ closed }) => closed)).toEqual([false, false, true, true]);
  expect(lines.filter(({ level }) => level === "warn")).toHaveLength(1);
  clients[0]?.end();
  while (service.connectionCount > 1) await new Promise((resolve) => setImmediate(resolve));
  const next = new KafkaClient();
  accept(next.duplex);
  expect(next.closed).toBe(false);
  stopping.abort();
  await service.drained();
});
