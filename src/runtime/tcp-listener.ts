/** What each runtime's TCP listener takes and gives (bun/tcp-listener.ts, node/tcp-listener.ts). */
import type { ByteDuplex } from "../base/byte-duplex.ts";

/** How long a connection that we closed may take to send its rest and to see the peer's end. */
export const lingerSeconds = 30;

/** A connection silent for so long is probed, so that peers that vanished do not stay for ever. */
export const keepAliveDelayMs = 120_000;

/** So long may a peer take none of what is to be written to it. */
export const stalledSecondsMax = 60;

export interface TcpListenOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Bytes received and not yet done with, over all connections: past it none is read. */
  readonly unreadBytesMax: number;
  /** Told of each chunk before anybody sees it. */
  readonly onReceived?: (bytes: number) => void;
  /** Called per accepted connection; whoever takes it closes it. Must not throw. */
  readonly onConnection: (duplex: ByteDuplex) => void;
}

export interface TcpListener {
  /** The port in use. */
  readonly port: number;
  /** Stops accepting. Connections that are open stay so: their owners close them. */
  close(): Promise<void>;
}
