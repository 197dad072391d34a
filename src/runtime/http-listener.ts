/** What each runtime's HTTP listener takes and gives (bun/http-listener.ts, deno/…). */

import type { UpgradeSocket } from "../base/message-socket.ts";

/** Bun's longest; heartbeats of streams and the longest poll are far below. */
export const idleSecondsMax = 255;

export interface HttpListenOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** A request body longer than this is refused before it is read. */
  readonly requestBytesMax: number;
  readonly fetch: (request: Request) => Response | Promise<Response>;
}

export interface HttpListener {
  /** Makes a WebSocket of a request that this listener has handed out. */
  readonly upgradeSocket: UpgradeSocket;
  /** The port in use. */
  readonly port: number;
  /** Stops accepting at once; resolves when all requests are answered. */
  drain(): Promise<void>;
  /** Breaks off what is still open. */
  close(): Promise<void>;
}

export type ListenHttp = (options: HttpListenOptions) => Promise<HttpListener>;
