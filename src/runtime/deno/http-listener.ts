/** HTTP over `Deno.serve`. */
import type { UpgradeSocket } from "../../base/message-socket.ts";
import type { HttpListener, HttpListenOptions } from "../http-listener.ts";
import { joinSocket, type StandardSocket } from "../standard-socket.ts";

/** Without an answer to a ping for so long a client is gone. */
const socketIdleSeconds = 120;

/** What is used of Deno, typed here since the project's type check knows Bun's globals alone. */
interface DenoServer {
  readonly addr: { readonly port: number };
  readonly finished: Promise<void>;
  shutdown(): Promise<void>;
}

interface DenoGlobal {
  serve(
    options: {
      readonly hostname: string;
      readonly port: number;
      readonly signal: AbortSignal;
      readonly onListen: () => void;
    },
    handler: (request: Request) => Response | Promise<Response>,
  ): DenoServer;
  /** Throws a TypeError for what is no handshake. */
  upgradeWebSocket(
    request: Request,
    options: { readonly protocol?: string; readonly idleTimeout: number },
  ): { readonly socket: StandardSocket; readonly response: Response };
}

/** @throws the runtime's own error (`code` EADDRINUSE, …) when the address cannot be bound. */
export async function listenHttp(options: HttpListenOptions): Promise<HttpListener> {
  const { Deno } = globalThis as unknown as { Deno: DenoGlobal };
  const abort = new AbortController();
  const server = Deno.serve(
    { hostname: options.host, port: options.port, signal: abort.signal, onListen() {} },
    (request) => {
      const length = Number(request.headers.get("content-length") ?? 0);
      // The app refuses long bodies too, with a problem document; this spares reading any of it.
      if (length > options.requestBytesMax) return new Response(null, { status: 413 });
      return options.fetch(request);
    },
  );
  const upgradeSocket: UpgradeSocket = (request, { handler, protocol }) => {
    const asked = { idleTimeout: socketIdleSeconds, ...(protocol !== undefined && { protocol }) };
    const { socket, response } = Deno.upgradeWebSocket(request, asked);
    joinSocket(socket, handler);
    return response;
  };
  let isFinished = false;
  const finished = server.finished.then(() => {
    isFinished = true;
  });
  return {
    upgradeSocket,
    port: server.addr.port,
    drain: () => server.shutdown(),
    async close() {
      // Aborting a server that has ended throws.
      if (!isFinished) abort.abort();
      await finished;
    },
  };
}
