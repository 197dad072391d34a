/** HTTP over `Bun.serve`. */
import type { MessageSocket, SocketHandler, UpgradeSocket } from "../../base/message-socket.ts";
import { StreamError } from "../../base/stream-error.ts";
import { type HttpListener, type HttpListenOptions, idleSecondsMax } from "../http-listener.ts";

/** @throws the runtime's own error (`code` EADDRINUSE, …) when the address cannot be bound. */
export async function listenHttp(options: HttpListenOptions): Promise<HttpListener> {
  const upgraded = new WeakSet<Request>();
  const server = Bun.serve<SocketHandler>({
    hostname: options.host,
    port: options.port,
    idleTimeout: idleSecondsMax,
    maxRequestBodySize: options.requestBytesMax,
    // Else Bun shares the port with another process outside of development, instead of failing.
    reusePort: false,
    // Without it Bun would render the page of a crash, source code included.
    development: false,
    async fetch(request) {
      const response = await options.fetch(request);
      return upgraded.has(request) ? undefined : response;
    },
    websocket: {
      maxPayloadLength: options.requestBytesMax,
      idleTimeout: idleSecondsMax,
      open: (socket) => socket.data.opened(messageSocket(socket)),
      message: (socket, message) =>
        socket.data.received(typeof message === "string" ? message : new Uint8Array(message)),
      close: (socket) => socket.data.closed(),
    },
  });
  const upgradeSocket: UpgradeSocket = (request, { handler, protocol }) => {
    const headers = protocol === undefined ? {} : { "Sec-WebSocket-Protocol": protocol };
    if (!server.upgrade(request, { data: handler, headers })) {
      throw new StreamError("invalid_request", "Cannot open a WebSocket: this is no handshake");
    }
    upgraded.add(request);
    // The runtime has answered; this is for who counts answers.
    return new Response(null, { status: 101 });
  };
  return {
    upgradeSocket,
    port: server.port ?? options.port,
    drain: () => server.stop(false),
    close: () => server.stop(true),
  };
}

function messageSocket(socket: Bun.ServerWebSocket<SocketHandler>): MessageSocket {
  return {
    get bufferedBytes() {
      return socket.getBufferedAmount();
    },
    send: (message) => void socket.send(message),
    close: (code, reason) => socket.close(code, reason),
  };
}
