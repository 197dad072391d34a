/**
 * Records of a topic over a WebSocket, as fast as the client asks for them: it sends credit,
 * `{"credit":100}`, and gets so many messages at most, until it sends more. Each message is a JSON
 * object with the cursor behind it:
 *
 *     {"cursor":"…"}                                  the place before any record; silence
 *     {"cursor":"…","data":{…}}                       a record, as in an event stream
 *     {"cursor":"…","event":"gap","data":{…}}         records are gone
 *     {"event":"problem","data":{"code","detail"}}    the socket is closed next
 *
 * Records and gaps cost one credit each. `{}` is answered by `{}`.
 */
import type { MessageSocket, SocketHandler } from "../../base/message-socket.ts";
import type { Platform } from "../../base/platform.ts";
import type { PieceTurns } from "./piece-turns.ts";
import { areYouThere, bufferedBytesMax, closeCode, lookMs, withCredit } from "./socket-credit.ts";
import type { StreamPiece, TopicEvent } from "./topic-stream.ts";

/** What the socket reads from: a TopicStream. */
export interface EventSource {
  waits: boolean;
  cursor(): string;
  next(countMax: number): Promise<StreamPiece | undefined>;
}

export interface TopicSocketOptions {
  readonly platform: Pick<Platform, "timers" | "log">;
  readonly turns: PieceTurns;
  /** Makes the events; they end when `signal` aborts. */
  readonly events: (signal: AbortSignal) => EventSource;
  /** Of a socket that rested: its credit then. */
  readonly credit?: number;
  /** What a socket that rests goes on from, as `received` by whoever makes the handler anew. */
  readonly stateOf?: (place: { readonly cursor: string; readonly credit: number }) => string;
  /** Aborts when the server stops. */
  readonly shutdown: AbortSignal;
  /** Called once when the socket has closed or rests. */
  readonly finish: () => void;
}

export class TopicSocket implements SocketHandler {
  readonly #options: TopicSocketOptions;
  readonly #left = new AbortController();
  #socket: MessageSocket | undefined;
  #credit: number;
  #isFinished = false;
  #wake: () => void = () => {};

  constructor(options: TopicSocketOptions) {
    this.#options = options;
    this.#credit = options.credit ?? 0;
  }

  opened(socket: MessageSocket): void {
    this.#socket = socket;
    void this.#runUntilClosed(socket);
  }

  received(message: string | Uint8Array): void {
    if (message === areYouThere) {
      this.#socket?.send(message);
      return;
    }
    const { credit, wrong } = withCredit(this.#credit, message);
    this.#credit = credit;
    if (wrong !== undefined) this.#end(closeCode.wrongMessage, wrong);
    else this.#wake();
  }

  closed(): void {
    this.#socket = undefined;
    this.#left.abort();
    this.#wake();
    this.#finish();
  }

  #finish(): void {
    if (!this.#isFinished) this.#options.finish();
    this.#isFinished = true;
  }

  async #runUntilClosed(socket: MessageSocket): Promise<void> {
    const { shutdown, platform } = this.#options;
    const stop = () => this.#wake();
    shutdown.addEventListener("abort", stop);
    try {
      await this.#run(socket);
      if (this.#isFinished) return;
      if (shutdown.aborted) this.#end(closeCode.goingAway, "the server stops");
      else this.#end(closeCode.failed, "the stream has ended");
    } catch (error) {
      platform.log.error("WebSocket failed", { error });
      this.#end(closeCode.failed, "the server failed in a way it did not expect");
    } finally {
      shutdown.removeEventListener("abort", stop);
    }
  }

  async #run(socket: MessageSocket): Promise<void> {
    const { turns, shutdown, platform } = this.#options;
    const signal = AbortSignal.any([this.#left.signal, shutdown]);
    const events = this.#options.events(signal);
    // The place before any record costs no credit.
    let countMax = this.#options.credit === undefined ? 1 : 0;
    events.waits = socket.rest === undefined;
    while (!signal.aborted) {
      await turns.take();
      countMax = Math.max(countMax, this.#credit);
      if (countMax <= 0 && this.#rests(socket, events)) return;
      while (this.#credit <= 0 && countMax <= 0 && !signal.aborted) await this.#moreCredit();
      countMax = Math.max(countMax, this.#credit);
      const piece = await events.next(countMax);
      if (piece === undefined) break;
      for (const text of piece.texts) socket.send(text);
      if (piece.isLast) break;
      if (piece.texts.length === 0 && this.#rests(socket, events)) return;
      this.#credit -= piece.count;
      while (socket.bufferedBytes > bufferedBytesMax && !signal.aborted) {
        await platform.timers.sleep(lookMs, signal);
      }
      countMax = this.#credit;
    }
  }

  /** Whether it is done with, and will be made anew. */
  #rests(socket: MessageSocket, events: EventSource): boolean {
    const { stateOf } = this.#options;
    if (socket.rest === undefined || stateOf === undefined || events.waits) return false;
    const state = stateOf({ cursor: events.cursor(), credit: this.#credit });
    let answer = socket.rest(state);
    // What it did not ask for is no news.
    if (answer === "again" && this.#credit <= 0) answer = socket.rest(state);
    if (answer === "refused") events.waits = true;
    if (answer !== "resting") return false;
    this.#socket = undefined;
    this.#left.abort();
    this.#finish();
    return true;
  }

  #moreCredit(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #end(code: number, reason: string): void {
    this.#left.abort();
    this.#socket?.close(code, reason);
  }
}

/** An event as a message. */
export function socketFrame({ kind, cursor, data }: TopicEvent): string {
  const place = `"cursor":"${cursor}"`;
  switch (kind) {
    case "begin":
    case "silence":
      return `{${place}}`;
    case "record":
      return `{${place},"data":${data}}`;
    case "gap":
      return `{${place},"event":"gap","data":${data}}`;
    case "problem":
      return `{"event":"problem","data":${data}}`;
  }
}
