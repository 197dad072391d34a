/**
 * WebSockets as the servers see them. A composition root upgrades the request, so that the core
 * knows of no runtime's own sockets, and a Durable Object may keep its sockets while it sleeps.
 */
export interface MessageSocket {
  /** Bytes sent that may not have left yet: at most so many. */
  readonly bufferedBytes: number;
  /** Nothing happens when the socket is closed by now. */
  send(message: string | Uint8Array): void;
  /** `code`: one of RFC 6455, 7.4; `reason`: at most 123 bytes. */
  close(code: number, reason: string): void;
  /**
   * Absent where sockets do not outlive their handler. Else the handler has nothing to do before a
   * message comes or something is published, and may be made again of `state`: when this says
   * `resting` it is done with, and must touch the socket no more. `again`: something was published
   * since it asked last, which it may not have seen. `refused`: the state is too large.
   */
  rest?(state: string): "resting" | "again" | "refused";
}

/** What comes of a socket. Nothing here may throw. */
export interface SocketHandler {
  opened(socket: MessageSocket): void;
  /** Bytes are the handler's. */
  received(message: string | Uint8Array): void;
  /** Once, whoever closed it or however it broke; not when it never opened. */
  closed(): void;
}

export interface SocketUpgrade {
  readonly handler: SocketHandler;
  /** Which of the protocols that the client offers; undefined: it offers none. */
  readonly protocol: string | undefined;
  /** The handler knows of `rest`. */
  readonly mayRest?: boolean;
}

/**
 * Makes a WebSocket of a request that asks for one; the answer (101) goes back as it is.
 * @throws StreamError `invalid_request` when the request is no proper handshake.
 */
export type UpgradeSocket = (request: Request, upgrade: SocketUpgrade) => Response;
