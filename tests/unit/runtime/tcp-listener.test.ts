import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import type { ByteDuplex } from "../../../src/base/byte-duplex.ts";
import { listenTcp as listenBun } from "../../../src/runtime/bun/tcp-listener.ts";
import { listenTcp as listenNode } from "../../../src/runtime/node/tcp-listener.ts";

const pattern = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 7) & 255);

for (const [runtime, listenTcp] of [
  ["bun", listenBun],
  ["node", listenNode],
] as const) {
  const accept = async (
    serve: (duplex: ByteDuplex) => Promise<void>,
    use: (port: number) => Promise<void>,
  ) => {
    const served: Promise<void>[] = [];
    const listener = await listenTcp({
      host: "127.0.0.1",
      port: 0,
      unreadBytesMax: 1024 * 1024,
      onConnection: (duplex) => served.push(serve(duplex)),
    });
    try {
      await use(listener.port);
      await Promise.all(served);
    } finally {
      await listener.close();
    }
  };

  /** Sends `input`, ends its half, and gives all that comes back. */
  const exchange = (port: number, input: Uint8Array, options: { readDelayMs?: number } = {}) =>
    new Promise<Uint8Array>((resolve, reject) => {
      const received: Uint8Array[] = [];
      const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true }, () => {
        socket.end(input);
        if (options.readDelayMs !== undefined) {
          socket.pause();
          setTimeout(() => socket.resume(), options.readDelayMs);
        }
      });
      socket.on("data", (chunk: Uint8Array) => received.push(chunk));
      socket.on("end", () => resolve(Buffer.concat(received)));
      socket.on("error", reject);
    });

  describe(`listenTcp of ${runtime}`, () => {
    test("carries megabytes both ways to a reader that starts late, then closes", async () => {
      const input = pattern(5_000_000);
      await accept(
        async (duplex) => {
          for await (const chunk of duplex.incoming) {
            await duplex.write([chunk.slice(0, 3), chunk.slice(3)]);
          }
          duplex.close();
        },
        async (port) => {
          const output = await exchange(port, input, { readDelayMs: 50 });
          expect(Buffer.compare(output, input)).toBe(0);
        },
      );
    });

    test("keeps the order of writes that were not awaited", async () => {
      const chunks = [pattern(10), pattern(300_000), new Uint8Array(0), pattern(70_000)];
      await accept(
        async (duplex) => {
          await Promise.all([duplex.write(chunks), duplex.write([pattern(5)]), duplex.write([])]);
          duplex.close();
        },
        async (port) => {
          const output = await exchange(port, new Uint8Array(0));
          expect(Buffer.compare(output, Buffer.concat([...chunks, pattern(5)]))).toBe(0);
        },
      );
    });

    // Node's streams keep what they are given: nothing is lent to them.
    if (runtime === "bun") {
      test("sends lent bytes as they are when the socket takes them", async () => {
        const [lentView, moved] = [pattern(20_000_000), pattern(20_000_000)];
        await accept(
          async (duplex) => {
            expect(duplex.sendsLent).toBe(true);
            let isMoved = false;
            const current = (view: Uint8Array) => (isMoved && view === lentView ? moved : view);
            const written = duplex.write([pattern(10), lentView], { current });
            // More than any socket takes at once: the rest is still here.
            lentView.fill(99);
            isMoved = true;
            await written;
            duplex.close();
          },
          async (port) => {
            const output = await exchange(port, new Uint8Array(0), { readDelayMs: 30 });
            expect(Buffer.compare(output, Buffer.concat([pattern(10), pattern(20_000_000)]))).toBe(
              0,
            );
          },
        );
      });
    } else {
      test("takes no lent bytes", async () => {
        await accept(
          async (duplex) => {
            expect(duplex.sendsLent).not.toBe(true);
            duplex.close();
          },
          async (port) => {
            expect(await exchange(port, new Uint8Array(0))).toHaveLength(0);
          },
        );
      });
    }

    test("flushes what was written before close", async () => {
      await accept(
        async (duplex) => {
          void duplex.write([pattern(3_000_000)]);
          duplex.close();
        },
        async (port) => {
          const output = await exchange(port, new Uint8Array(0), { readDelayMs: 30 });
          expect(output.length).toBe(3_000_000);
        },
      );
    });

    test("listens to its socket no more often the more it writes", async () => {
      const warned: string[] = [];
      const note = ({ name }: Error) => void warned.push(name);
      process.on("warning", note);
      await accept(
        async (duplex) => {
          for (let round = 0; round < 30; round++) await duplex.write([pattern(10)]);
          duplex.close();
        },
        async (port) => {
          expect((await exchange(port, new Uint8Array(0))).length).toBe(300);
        },
      );
      await new Promise((resolve) => setTimeout(resolve, 0));
      process.off("warning", note);
      expect(warned).toEqual([]);
    });

    test("stops reading while nobody pulls", async () => {
      const gate = Promise.withResolvers<void>();
      await accept(
        async (duplex) => {
          await gate.promise;
          let received = 0;
          for await (const chunk of duplex.incoming) received += chunk.length;
          expect(received).toBe(64 * 1024 * 1024);
          duplex.close();
        },
        async (port) => {
          const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
          socket.end(new Uint8Array(64 * 1024 * 1024));
          const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
          socket.resume();
          // All that goes without a reader has gone when the rest stands still.
          for (let [left, looks] = [-1, 0]; looks < 20; looks++) {
            if (left !== socket.writableLength) looks = 0;
            left = socket.writableLength;
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          expect(socket.writableLength).toBeGreaterThan(0);
          gate.resolve();
          await ended;
        },
      );
    });

    test("rejects a write after the peer is gone", async () => {
      const outcome = Promise.withResolvers<unknown>();
      await accept(
        async (duplex) => {
          try {
            for await (const _ of duplex.incoming) {
              // Until the end.
            }
          } catch {
            // A reset is an end too.
          }
          try {
            for (;;) await duplex.write([pattern(1_000_000)]);
          } catch (error) {
            outcome.resolve(error);
          }
          duplex.close();
        },
        async (port) => {
          const socket = connect({ host: "127.0.0.1", port }, () => socket.resetAndDestroy());
          expect(await outcome.promise).toBeInstanceOf(Error);
        },
      );
    });

    test("refuses a port in use", async () => {
      const first = await listenTcp({
        host: "127.0.0.1",
        port: 0,
        unreadBytesMax: 1,
        onConnection() {},
      });
      const second = listenTcp({
        host: "127.0.0.1",
        port: first.port,
        unreadBytesMax: 1,
        onConnection() {},
      });
      expect(await second.catch((error: Error) => error)).toMatchObject({ code: "EADDRINUSE" });
      await first.close();
    });
  });
}
