import { describe, expect, test } from "bun:test";
import { silentLogger } from "../../../../src/base/log.ts";
import { createSocketFetch } from "../../../../src/runtime/bun/socket-fetch.ts";
import { S3Store } from "../../../../src/store/s3-store.ts";
import { expectCode, filled, same } from "../../../contract/object-store.ts";
import { realTimers, systemRandom } from "../../../support/real-timers.ts";
import { type S3Fault, startS3FaultServer } from "../../../support/s3-fault-server.ts";
import { crc32c } from "../../../support/segments.ts";

async function withStore(
  use: (parts: {
    store: S3Store;
    server: Awaited<ReturnType<typeof startS3FaultServer>>;
  }) => Promise<void>,
): Promise<void> {
  const server = await startS3FaultServer();
  const store = new S3Store({
    bucket: "bucket",
    prefix: "",
    endpoint: server.endpoint,
    region: "us-east-1",
    pathStyle: true,
    credentials: { accessKeyId: "key", secretAccessKey: "secret" },
    platform: { timers: realTimers, random: systemRandom, crc32c, log: silentLogger },
    retry: { delayBaseMs: 1, delayMaxMs: 4, attemptTimeoutMs: 400 },
    hedgeAfterMs: 0,
    fetch: createSocketFetch(),
  });
  try {
    await use({ store, server });
    await store.close();
  } finally {
    await server.close();
  }
}

/** A server that reads and writes bytes as the test says. */
function rawServer(onBytes: (socket: Bun.Socket<{ got: number }>) => void) {
  let connections = 0;
  const listener = Bun.listen<{ got: number }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        connections += 1;
        socket.data = { got: 0 };
      },
      data(socket, chunk) {
        socket.data.got += chunk.length;
        onBytes(socket);
      },
    },
  });
  return {
    url: `http://127.0.0.1:${listener.port}/bucket/key?x-id=PutObject`,
    connections: () => connections,
    stop: () => listener.stop(true),
  };
}

const key = "receipts/x";
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

describe("createSocketFetch", () => {
  test("puts megabytes that arrive as they are, several at a time", () =>
    withStore(async ({ store, server }) => {
      const bodies = [0, 1, 2, 3].map((index) => filled(5_000_000 + index, index));
      await Promise.all(bodies.map((bytes, index) => store.create(`${key}${index}`, bytes)));
      for (const [index, bytes] of bodies.entries()) {
        const stored = server.objects.get(`${key}${index}`)?.bytes ?? new Uint8Array(0);
        expect(same(new Uint8Array(stored), bytes)).toBe(true);
      }
      expect(server.requests.filter((request) => request.startsWith("PUT"))).toHaveLength(4);
    }));

  for (const [fault, requests] of [
    [503, [`PUT ${key}`, `PUT ${key}`]],
    ["reset", [`PUT ${key}`, `HEAD ${key}`, `PUT ${key}`]],
    ["silent", [`PUT ${key}`, `HEAD ${key}`, `PUT ${key}`]],
    ["lost", [`PUT ${key}`, `HEAD ${key}`]],
    ["late", [`PUT ${key}`, `HEAD ${key}`]],
  ] as const satisfies readonly (readonly [S3Fault, readonly string[]])[]) {
    test(`a store on it comes through ${fault} as through the runtime's fetch`, () =>
      withStore(async ({ store, server }) => {
        server.faults.push(fault);
        await store.create(key, filled(300_000, 1));
        expect(server.requests).toEqual([...requests]);
      }));
  }

  test("an object that is there with other bytes is told", () =>
    withStore(async ({ store }) => {
      await store.create(key, filled(1000, 1));
      await expectCode(store.create(key, filled(1000, 2)), "object_exists");
    }));

  test("uses a connection again after an answer, not after one that closes it", async () => {
    let answers = 0;
    const length = 200_000;
    const server = rawServer((socket) => {
      if (socket.data.got < length) return;
      socket.data.got = 0;
      answers += 1;
      socket.write(answers === 2 ? ok.replace("\r\n", "\r\nConnection: close\r\n") : ok);
    });
    const put = createSocketFetch();
    const connections: number[] = [];
    for (let count = 0; count < 4; count++) {
      const body = new Uint8Array(length);
      const response = await put(server.url, { method: "PUT", body });
      expect(response.status).toBe(200);
      connections.push(server.connections());
    }
    server.stop();
    expect(connections).toEqual([1, 1, 2, 2]);
  });

  test("takes an answer that comes before all was sent, and gives the connection up", async () => {
    const refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
    let isFirst = true;
    const server = rawServer((socket) => {
      if (isFirst) socket.write(refusal);
      else if (socket.data.got >= 10) socket.write(ok);
      if (isFirst) socket.pause();
      isFirst = false;
    });
    const put = createSocketFetch();
    const refused = await put(server.url, { method: "PUT", body: new Uint8Array(30_000_000) });
    expect([refused.status, await refused.text()]).toEqual([403, "no"]);
    const next = await put(server.url, { method: "PUT", body: new Uint8Array(10) });
    expect(next.status).toBe(200);
    expect(server.connections()).toBe(2);
    server.stop();
  });

  test("an abort ends it with its reason, however far it is", async () => {
    const server = rawServer((socket) => socket.pause());
    const abort = new AbortController();
    const init = { method: "PUT", body: new Uint8Array(30_000_000), signal: abort.signal };
    const putting = createSocketFetch()(server.url, init);
    await Bun.sleep(20);
    abort.abort(new Error("enough"));
    await expect(putting).rejects.toThrow("enough");
    server.stop();
  });

  test("leaves other requests, and TLS, to the runtime's fetch", async () => {
    const asked: string[] = [];
    const put = createSocketFetch(async (url, { method }) => {
      asked.push(`${method} ${url}`);
      return new Response(null);
    });
    await put("http://h/b", { method: "GET" });
    await put("http://h/b", { method: "PUT", body: "text" });
    await put("https://h/b", { method: "PUT", body: new Uint8Array(1) });
    expect(asked).toEqual(["GET http://h/b", "PUT http://h/b", "PUT https://h/b"]);
  });
});
