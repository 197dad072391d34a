/**
 * WebSockets of a Durable Object that outlive it (ADR 47): while all is read and nothing comes, the
 * object is put to sleep, and workerd keeps the sockets with what their handlers go on from. A
 * message or a publish makes the handler anew.
 */
import type { DurableObjectState } from "cloudflare:workers";
import type { Logger } from "../../base/log.ts";
import type { SocketHandler, UpgradeSocket } from "../../base/message-socket.ts";
import { isStreamError } from "../../base/stream-error.ts";
import { areYouThere } from "../../server/http/socket-credit.ts";
import { joinSocket, messageSocket, type StandardSocket } from "../standard-socket.ts";

/** What workerd keeps with a socket, so much at most. */
const stateLengthMax = 1_900;
/** RFC 6455, 7.4.1. */
const failed = 1011;

/** A socket as workerd keeps it. */
export interface KeptSocket extends StandardSocket {
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

interface Attachment {
  readonly id: string;
  /** Of one that rests. */
  readonly state?: string;
  /** Up to which publish it has looked. */
  readonly position?: number;
}

/** A handler at work, or on its way: what comes meanwhile waits for it. */
interface Live {
  handler: SocketHandler | undefined;
  readonly waiting: (string | Uint8Array)[];
  heard(): void;
  /** Something was published since it asked last. */
  hasNews: boolean;
}

declare const WebSocketPair: new () => {
  readonly 0: StandardSocket;
  readonly 1: KeptSocket & { accept(): void };
};

declare const WebSocketRequestResponsePair: new (question: string, answer: string) => object;

export interface ObjectSocketsParts {
  readonly state: Pick<
    DurableObjectState,
    "acceptWebSocket" | "getWebSockets" | "setWebSocketAutoResponse"
  >;
  readonly log: Logger;
  /** What is known to be published. */
  readonly position: () => number;
  /** A socket has come to rest. */
  readonly onRest: () => void;
  readonly resume: (state: string) => Promise<SocketHandler>;
}

export class ObjectSockets {
  readonly #parts: ObjectSocketsParts;
  readonly #live = new Map<string, Live>();

  constructor(parts: ObjectSocketsParts) {
    this.#parts = parts;
    const answered = new WebSocketRequestResponsePair(areYouThere, areYouThere);
    parts.state.setWebSocketAutoResponse(answered);
  }

  readonly upgrade: UpgradeSocket = (_request, { handler, protocol, mayRest }) => {
    const { 0: client, 1: server } = new WebSocketPair();
    if (mayRest === true) this.#keep(server, handler);
    else {
      server.accept();
      joinSocket(server, handler);
    }
    const headers = protocol === undefined ? {} : { "Sec-WebSocket-Protocol": protocol };
    const init = { status: 101, headers, webSocket: client };
    return new Response(null, init as ResponseInit);
  };

  /** A message came on a socket that was kept. */
  received(socket: KeptSocket, message: string | ArrayBuffer): void {
    const bytes = typeof message === "string" ? message : new Uint8Array(message);
    const { id } = attachmentOf(socket);
    const live = this.#live.get(id);
    if (live === undefined) {
      this.#resume(socket, [bytes]);
      return;
    }
    live.heard();
    if (live.handler === undefined) live.waiting.push(bytes);
    else live.handler.received(bytes);
  }

  /** Whether there are any, at work or at rest. */
  get areThere(): boolean {
    return this.#parts.state.getWebSockets().length > 0;
  }

  /** Whether one that rests has looked before this was published; those at work look anyway. */
  isBehind(publishPosition: number): boolean {
    return this.#parts.state.getWebSockets().some((socket) => {
      const { id, position = -1 } = attachmentOf(socket);
      return position < publishPosition && !this.#live.has(id);
    });
  }

  closed(socket: KeptSocket): void {
    const { id } = attachmentOf(socket);
    this.#live.get(id)?.handler?.closed();
    this.#live.delete(id);
  }

  /** Something was published. */
  wake(): void {
    for (const live of this.#live.values()) live.hasNews = true;
    for (const socket of this.#parts.state.getWebSockets()) {
      if (!this.#live.has(attachmentOf(socket).id)) this.#resume(socket);
    }
  }

  #keep(socket: KeptSocket, handler: SocketHandler): void {
    const id = crypto.randomUUID();
    this.#parts.state.acceptWebSocket(socket);
    this.#open(socket, id).start(handler);
  }

  /** Makes the handler anew, unless it rested with nothing; `first` is what woke it. */
  #resume(socket: KeptSocket, first: (string | Uint8Array)[] = []): void {
    const { id, state } = attachmentOf(socket);
    if (state === undefined) {
      // Its object ended while it was at work: the client knows its cursor and comes again.
      socket.close(failed, "the object was replaced: come again with the cursor");
      return;
    }
    const opened = this.#open(socket, id, first);
    void this.#parts.resume(state).then(opened.start, (error: unknown) => {
      this.#live.delete(id);
      const code = isStreamError(error) ? error.code : "internal";
      this.#parts.log.warn("A WebSocket that rested cannot go on", { error: String(error) });
      socket.close(failed, `cannot go on: ${code}`);
    });
  }

  #open(socket: KeptSocket, id: string, waiting: (string | Uint8Array)[] = []) {
    const { ours, heard } = messageSocket(socket, () => Date.now());
    const live: Live = { handler: undefined, waiting, heard, hasNews: true };
    this.#live.set(id, live);
    // If its object ends meanwhile, nobody knows what it has given.
    socket.serializeAttachment({ id } satisfies Attachment);
    const rest = (state: string) => {
      if (state.length > stateLengthMax) return "refused";
      if (live.hasNews) {
        live.hasNews = false;
        return "again";
      }
      const position = this.#parts.position();
      socket.serializeAttachment({ id, state, position } satisfies Attachment);
      this.#live.delete(id);
      this.#parts.onRest();
      return "resting";
    };
    const start = (handler: SocketHandler) => {
      // It was closed meanwhile.
      if (this.#live.get(id) !== live) return;
      live.handler = handler;
      handler.opened({
        ...{ rest, send: ours.send, close: ours.close },
        get bufferedBytes() {
          return ours.bufferedBytes;
        },
      });
      for (const message of waiting.splice(0)) handler.received(message);
    };
    return { start };
  }
}

/** Up to which publishes sockets have looked that their object kept; one at work had no time to. */
export function restingPositions(sockets: readonly KeptSocket[]): number[] {
  return sockets.map((socket) => attachmentOf(socket).position ?? -1);
}

function attachmentOf(socket: KeptSocket): Attachment {
  return socket.deserializeAttachment() as Attachment;
}
