/** A balancer for tests: each TCP connection goes to the next of the servers that takes it. */
import { connect, createServer, type Socket } from "node:net";

export interface RoundRobin {
  readonly port: number;
  /** Connections that each server has got, by its place in `ports`. */
  readonly counts: readonly number[];
  close(): Promise<void>;
}

/** `ports` may get its members later than this, as long as nobody connects before. */
export async function startRoundRobin(ports: readonly number[]): Promise<RoundRobin> {
  const counts: number[] = [];
  const open = new Set<Socket>();
  let next = 0;
  const server = createServer((client) => {
    open.add(client);
    client.on("close", () => open.delete(client));
    client.on("error", () => client.destroy());
    const first = next++;
    // Its own count: by the common one a client may come to the same dead server twice.
    const attempt = (tried: number) => {
      const index = (first + tried) % ports.length;
      const upstream = connect(ports[index] ?? 0, "127.0.0.1");
      let isOpen = false;
      upstream.on("connect", () => {
        isOpen = true;
        counts[index] = (counts[index] ?? 0) + 1;
        client.pipe(upstream);
        upstream.pipe(client);
      });
      upstream.on("error", () => {
        if (!isOpen && tried + 1 < ports.length) attempt(tried + 1);
        else client.destroy();
      });
      upstream.on("close", () => {
        if (isOpen) client.destroy();
      });
      client.on("close", () => upstream.destroy());
    };
    attempt(0);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    counts,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
