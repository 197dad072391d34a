/**
 * Follows a topic over a WebSocket: the server sends what it was given credit for, and credit is
 * given as records are taken out of the loop: a slow reader holds some hundred records and no more.
 */
import { Backoff } from "./backoff.ts";
import type { ServerLink } from "./connection.ts";
import {
  type ConsumedRecord,
  type ConsumeOptions,
  type Gap,
  type RecordJson,
  recordOf,
} from "./consumed-record.ts";
import { hasEnded } from "./follow.ts";
import {
  asMillraceError,
  errorOfProblem,
  MillraceError,
  type ProblemJson,
} from "./millrace-error.ts";
import { SilenceWatch } from "./silence-watch.ts";

/** Records that may be on their way or wait to be taken. */
const window = 512;
const protocol = "millrace";
const silenceMsDefault = 40_000;

/** The part of a WebSocket that is used here: not every runtime's types know of it. */
interface SocketLike {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(): void;
}

type SocketClass = new (url: string, protocols: readonly string[]) => SocketLike;

interface Message {
  readonly cursor?: string;
  readonly event?: "gap" | "problem";
  readonly data?: unknown;
}

/** `query` says what is to be read, and from where unless there is a cursor. */
export async function* followSocket<V>(
  link: ServerLink,
  { path, query }: { readonly path: string; readonly query: string },
  options: ConsumeOptions<V>,
  start: string | undefined,
): AsyncGenerator<ConsumedRecord<V>, void> {
  const { WebSocket } = globalThis as unknown as { readonly WebSocket?: SocketClass };
  if (WebSocket === undefined || !link.hasSockets) {
    throw new MillraceError("unsupported", "Cannot open a WebSocket here: consume by events");
  }
  const { signal, parse } = options;
  const backoff = new Backoff(link.platform, link.backoff);
  let cursor = start;
  while (!hasEnded(signal)) {
    const place = cursor === undefined ? "" : `&cursor=${cursor}`;
    const token = await link.token();
    const url = `${link.url.replace(/^http/, "ws")}${path}/ws?${query}${place}`;
    const socket = new WebSocket(url, token === undefined ? [protocol] : [protocol, token]);
    const inbox = new Inbox(socket, link, options as ConsumeOptions<unknown>);
    try {
      let taken = 0;
      for await (const message of inbox.messages()) {
        if (message.event === "problem") throw problemOf(message.data);
        if (message.event === "gap") options.onGap?.(message.data as Gap);
        cursor = message.cursor ?? cursor;
        if (message.data === undefined) continue;
        backoff.reset();
        if (message.event === undefined) {
          yield recordOf(message.data as RecordJson, cursor ?? "", parse);
        }
        taken += 1;
        if (taken * 2 < window) continue;
        inbox.give(taken);
        taken = 0;
      }
    } catch (error) {
      if (hasEnded(signal)) return;
      let failure = asMillraceError(error);
      // Browsers do not tell why a socket did not open; an ordinary request does.
      if (failure.retriable && !inbox.wasOpen)
        failure = await reasonOf(link, path, failure, signal);
      if (hasEnded(signal)) return;
      if (!failure.retriable) throw failure;
      options.onTrouble?.(failure);
      await backoff.wait(signal, failure.retryAfterMs);
    } finally {
      inbox.close();
    }
  }
}

async function reasonOf(
  link: ServerLink,
  path: string,
  failure: MillraceError,
  signal: AbortSignal | undefined,
): Promise<MillraceError> {
  try {
    await link.request(`${path}/records?offset=latest&maxRecords=1`, { signal });
    return failure;
  } catch (error) {
    return asMillraceError(error);
  }
}

function problemOf(data: unknown): MillraceError {
  const problem = data as ProblemJson;
  return errorOfProblem(problem, { retriable: problem.retriable !== false });
}

/** A socket's messages as they are asked for; never more of them than there is credit. */
class Inbox {
  wasOpen = false;
  readonly #socket: SocketLike;
  readonly #signal: AbortSignal | undefined;
  readonly #watch: SilenceWatch;
  readonly #silenceMs: number;
  readonly #waiting: Message[] = [];
  #isAsked = false;
  #end: MillraceError | undefined;
  #wake: () => void = () => undefined;

  constructor(
    socket: SocketLike,
    link: ServerLink,
    { signal, silenceMs = silenceMsDefault, onOpen }: ConsumeOptions<unknown>,
  ) {
    this.#socket = socket;
    this.#signal = signal;
    this.#silenceMs = silenceMs;
    this.#watch = new SilenceWatch(link, this.#silent);
    socket.onopen = () => {
      this.wasOpen = true;
      this.give(window);
      onOpen?.();
    };
    socket.onmessage = ({ data }) => {
      this.#isAsked = false;
      this.#watch.expectWithin(this.#silenceMs / 2);
      this.#waiting.push(JSON.parse(String(data)) as Message);
      this.#wake();
    };
    socket.onerror = () => this.#fail("the WebSocket failed");
    socket.onclose = ({ code, reason }) => this.#fail(`the WebSocket closed: ${code} ${reason}`);
    signal?.addEventListener("abort", this.#aborted);
    this.#watch.expectWithin(this.#silenceMs);
  }

  /** @throws MillraceError when the socket has closed and all messages are taken. */
  async *messages(): AsyncGenerator<Message, void> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) {
        yield message;
        continue;
      }
      if (hasEnded(this.#signal)) return;
      if (this.#end !== undefined) throw this.#end;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  give(credit: number): void {
    if (this.#end === undefined) this.#socket.send(JSON.stringify({ credit }));
  }

  close(): void {
    this.#watch.stop();
    this.#signal?.removeEventListener("abort", this.#aborted);
    this.#fail("closed");
    this.#socket.close();
  }

  /** A server that sleeps says nothing by itself, so it is asked first whether it is there. */
  readonly #silent = ({ message }: Error): void => {
    if (this.#isAsked || !this.wasOpen) this.#fail(message);
    else {
      this.#isAsked = true;
      this.#socket.send("{}");
      this.#watch.expectWithin(this.#silenceMs / 2);
    }
  };

  readonly #aborted = (): void => this.close();

  #fail(reason: string): void {
    this.#watch.stop();
    this.#end ??= new MillraceError("network", `The stream ended: ${reason}`, { retriable: true });
    this.#wake();
  }
}
