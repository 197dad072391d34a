/**
 * What one SELECT gives, over a WebSocket, as fast as the client asks for it: credit is that of
 * socket-credit.ts. Each message is a JSON object:
 *
 *     {"columns":[{"name","type"}]}                        first, and without credit
 *     {"cursor":"…","data":{"change":"update","row":{…}}}  a change, and the place behind it
 *     {"data":{…}}                                         a row of a SELECT that ends
 *     {}                                                   silence
 *     {"event":"end"}                                      no more; the socket is closed next
 *     {"event":"problem","data":{"code","detail"}}         the same
 *
 * Rows and changes cost one credit each. What is not asked for waits in the query, not here.
 */
import type { MessageSocket, SocketHandler } from "../../base/message-socket.ts";
import type { Platform } from "../../base/platform.ts";
import { showType } from "../../sql/types/show-type.ts";
import { problemOfError } from "./problem-response.ts";
import { areYouThere, bufferedBytesMax, closeCode, lookMs, withCredit } from "./socket-credit.ts";
import type { SqlEvent } from "./sql-script.ts";

/** Silence after which a socket shows that it lives. */
const heartbeatMs = 15_000;

const utf8 = new TextDecoder();

export interface SqlSocketOptions {
  readonly platform: Pick<Platform, "timers" | "log">;
  /** What was taken of `events` to see that there will be any. */
  readonly first: IteratorResult<SqlEvent, void>;
  readonly events: AsyncGenerator<SqlEvent, void>;
  /** Aborted when the client has left. */
  readonly left: AbortController;
  /** Aborts when the server stops. */
  readonly shutdown: AbortSignal;
  /** Called once, when all has ended. */
  readonly finish: () => void;
}

export class SqlSocket implements SocketHandler {
  readonly #options: SqlSocketOptions;
  readonly #signal: AbortSignal;
  #socket: MessageSocket | undefined;
  #credit = 0;
  #wake: () => void = () => {};
  #coming: Promise<IteratorResult<SqlEvent, void>> | undefined;

  constructor(options: SqlSocketOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.left.signal, options.shutdown]);
    this.#coming = Promise.resolve(options.first);
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
    this.#options.left.abort();
  }

  async #runUntilClosed(socket: MessageSocket): Promise<void> {
    const { platform, shutdown, finish, events } = this.#options;
    const wake = () => this.#wake();
    this.#signal.addEventListener("abort", wake);
    try {
      await this.#run(socket);
      if (shutdown.aborted) this.#end(closeCode.goingAway, "the server stops");
      else this.#end(closeCode.normal, "");
    } catch (error) {
      if (shutdown.aborted) this.#end(closeCode.goingAway, "the server stops");
      else if (!this.#signal.aborted) {
        const problem = JSON.stringify(problemOfError(error, platform.log));
        socket.send(`{"event":"problem","data":${problem}}`);
        this.#end(closeCode.failed, "the query has failed");
      }
    } finally {
      this.#signal.removeEventListener("abort", wake);
      this.#options.left.abort();
      finish();
      await events.return().catch((error: unknown) => {
        platform.log.debug("a query that was left ended badly", { error });
      });
    }
  }

  async #run(socket: MessageSocket): Promise<void> {
    for (;;) {
      const next = await this.#nextOrSilence();
      if (this.#signal.aborted) return;
      if (next === "silence") {
        socket.send("{}");
        continue;
      }
      if (next.done === true) {
        socket.send('{"event":"end"}');
        return;
      }
      const event = next.value;
      if (event.kind === "columns") {
        const columns = event.columns.map(({ name, type }) => ({ name, type: showType(type) }));
        socket.send(JSON.stringify({ columns }));
      }
      for (const text of textsOf(event)) {
        await this.#turn(socket);
        if (this.#signal.aborted) return;
        this.#credit -= 1;
        socket.send(text);
      }
      // Nothing is taken from the query before it is asked for.
      await this.#turn(socket);
    }
  }

  /** Waits for credit, and until what was sent has left but for a little. */
  async #turn(socket: MessageSocket): Promise<void> {
    const { timers } = this.#options.platform;
    while (this.#credit <= 0 && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    while (socket.bufferedBytes > bufferedBytesMax && !this.#signal.aborted) {
      await timers.sleep(lookMs, this.#signal);
    }
  }

  async #nextOrSilence(): Promise<IteratorResult<SqlEvent, void> | "silence"> {
    this.#coming ??= this.#options.events.next();
    const coming = this.#coming;
    const over = new AbortController();
    const silence = this.#options.platform.timers
      .sleep(heartbeatMs, over.signal)
      .then(() => "silence" as const);
    const first = await Promise.race([coming, silence]).finally(() => over.abort());
    if (first !== "silence") this.#coming = undefined;
    return first;
  }

  #end(code: number, reason: string): void {
    this.#options.left.abort();
    this.#socket?.close(code, reason);
  }
}

function* textsOf(event: SqlEvent): Generator<string, void> {
  if (event.kind === "rows") {
    for (const row of event.rows) yield `{"data":${utf8.decode(row)}}`;
  } else if (event.kind === "change") {
    const { kind, cursor, row } = event.change;
    const data = `{"change":"${kind}","row":${utf8.decode(row)}}`;
    yield `{"cursor":${JSON.stringify(cursor)},"data":${data}}`;
  }
}
