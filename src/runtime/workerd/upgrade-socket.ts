/** WebSockets of a Durable Object. One that is open keeps its object awake. */
import type { UpgradeSocket } from "../../base/message-socket.ts";
import { joinSocket, type StandardSocket } from "../standard-socket.ts";

declare const WebSocketPair: new () => {
  readonly 0: StandardSocket;
  readonly 1: StandardSocket & { accept(): void };
};

export const upgradeSocket: UpgradeSocket = (_request, { handler, protocol }) => {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  joinSocket(server, handler);
  const headers = protocol === undefined ? {} : { "Sec-WebSocket-Protocol": protocol };
  const init = { status: 101, headers, webSocket: client };
  return new Response(null, init as ResponseInit);
};
