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
 * or the text of an event stream that another writes. Rows and changes cost one credit each. What
 * is not asked for waits in the query, not here. A view that was still for half a minute is
 * followed no more where sockets may rest: the handler is made anew when something was published,
 * and runs the query again only when that was to the view's topic (ADR 75).
 */
import type { MessageSocket, SocketHandler } from "../../base/message-socket.ts";
import type { Platform } from "../../base/platform.ts";
import { showType } from "../../sql/types/show-type.ts";
import type { Problem } from "../../wire/http/problem.ts";
import { problemOfError } from "./problem-response.ts";
import { areYouThere, bufferedBytesMax, closeCode, lookMs, withCredit } from "./socket-credit.ts";
import { sqlFormats } from "./sql-formats.ts";
import type { ScriptRun, SqlEvent } from "./sql-script.ts";

/** Silence after which a socket shows that it lives. */
const heartbeatMs = 15_000;
/** So often before it rests: to make a table again costs more than to stay for a while. */
const silencesMax = 2;

const utf8 = new TextDecoder();

export type SqlFrames = keyof typeof framesOf;

export interface SqlSocketOptions {
  readonly platform: Pick<Platform, "timers" | "log">;
  readonly frames: SqlFrames;
  readonly events: (run: Pick<ScriptRun, "signal" | "onStill">) => AsyncGenerator<SqlEvent, void>;
  /** Whether nothing is known to be published behind the cursor. */
  readonly isStill: (cursor: string) => Promise<boolean>;
  /** Of a socket that rested: where it goes on. */
  readonly rested?: { readonly cursor: string; readonly credit: number };
  /** What a socket that rests is made of again, with `rested`. */
  readonly stateOf: (rested: { readonly cursor: string; readonly credit: number }) => string;
  /** Aborts when the server stops. */
  readonly shutdown: AbortSignal;
  /** Called once, when all has ended. */
  readonly finish: () => void;
}

export class SqlSocket implements SocketHandler {
  readonly #options: SqlSocketOptions;
  readonly #frames: Frames;
  readonly #left = new AbortController();
  readonly #signal: AbortSignal;
  #socket: MessageSocket | undefined;
  #credit: number;
  #wake: () => void = () => {};
  #events: AsyncGenerator<SqlEvent, void> | undefined;
  #coming: Promise<IteratorResult<SqlEvent, void>> | undefined;
  /** All before it is given. */
  #place: string | undefined;

  constructor(options: SqlSocketOptions) {
    this.#options = options;
    this.#frames = framesOf[options.frames]();
    this.#signal = AbortSignal.any([this.#left.signal, options.shutdown]);
    this.#credit = options.rested?.credit ?? 0;
    this.#place = options.rested?.cursor;
  }

  /** Runs the query. Rejects with what it fails with before there is anything; `leave` then. */
  async begin(): Promise<void> {
    const onStill = (cursor: string) => {
      this.#place = cursor;
    };
    this.#events = this.#options.events({ signal: this.#signal, onStill });
    const first = await this.#events.next();
    this.#coming = Promise.resolve(first);
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
  }

  /** Ends the query. */
  async leave(): Promise<void> {
    const { platform, finish } = this.#options;
    this.#left.abort();
    finish();
    await this.#events?.return().catch((error: unknown) => {
      platform.log.debug("a query that was left ended badly", { error });
    });
  }

  async #runUntilClosed(socket: MessageSocket): Promise<void> {
    const { platform, shutdown } = this.#options;
    const wake = () => this.#wake();
    this.#signal.addEventListener("abort", wake);
    try {
      await this.#run(socket);
      if (shutdown.aborted) this.#end(closeCode.goingAway, "the server stops");
      else this.#end(closeCode.normal, "");
    } catch (error) {
      if (shutdown.aborted) this.#end(closeCode.goingAway, "the server stops");
      else if (!this.#signal.aborted) {
        socket.send(this.#frames.problem(problemOfError(error, platform.log)));
        this.#end(closeCode.failed, "the query has failed");
      }
    } finally {
      this.#signal.removeEventListener("abort", wake);
      await this.leave();
    }
  }

  async #run(socket: MessageSocket): Promise<void> {
    const { rested } = this.#options;
    if (rested !== undefined) {
      if (await this.#rests(socket)) return;
      await this.begin();
    }
    for (let silences = 0; ; ) {
      const next = await this.#nextOrSilence();
      if (this.#signal.aborted) return;
      if (next === "silence") {
        silences += 1;
        if (silences >= silencesMax && (await this.#rests(socket))) return;
        if (this.#frames.silence !== undefined) socket.send(this.#frames.silence);
        continue;
      }
      silences = 0;
      if (next.done === true) {
        socket.send(this.#frames.end);
        return;
      }
      const event = next.value;
      if (event.kind === "columns" && rested === undefined) socket.send(this.#frames.of(event));
      for (const each of singles(event)) {
        await this.#turn(socket);
        if (this.#signal.aborted) return;
        this.#credit -= 1;
        socket.send(this.#frames.of(each));
      }
      // Nothing is taken from the query before it is asked for.
      await this.#turn(socket);
    }
  }

  /** Whether it is done with, and will be made anew: what is known to be published is given. */
  async #rests(socket: MessageSocket): Promise<boolean> {
    const { isStill, stateOf } = this.#options;
    while (socket.rest !== undefined && this.#place !== undefined) {
      const cursor = this.#place;
      if (!(await isStill(cursor)) || this.#signal.aborted) return false;
      const answer = socket.rest(stateOf({ cursor, credit: this.#credit }));
      if (answer === "again") continue;
      if (answer === "resting") this.#socket = undefined;
      return answer === "resting";
    }
    return false;
  }

  /** Waits for credit, and until what was sent has left but for a little. */
  async #turn(socket: MessageSocket): Promise<void> {
    const { timers } = this.#options.platform;
    while (this.#credit <= 0 && !this.#signal.aborted) {
      const over = new AbortController();
      const more = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      // Whoever waits for messages alone may be put to sleep, and would have forgotten the query.
      await Promise.race([more, timers.sleep(heartbeatMs, over.signal)]);
      over.abort();
    }
    while (socket.bufferedBytes > bufferedBytesMax && !this.#signal.aborted) {
      await timers.sleep(lookMs, this.#signal);
    }
  }

  async #nextOrSilence(): Promise<IteratorResult<SqlEvent, void> | "silence"> {
    this.#coming ??= this.#events?.next();
    const over = new AbortController();
    const silence = this.#options.platform.timers
      .sleep(heartbeatMs, over.signal)
      .then(() => "silence" as const);
    const first = await Promise.race([this.#coming ?? silence, silence]).finally(() =>
      over.abort(),
    );
    if (first !== "silence") this.#coming = undefined;
    return first;
  }

  #end(code: number, reason: string): void {
    this.#left.abort();
    this.#socket?.close(code, reason);
  }
}

/** What costs a credit each. */
function* singles(event: SqlEvent): Generator<SqlEvent, void> {
  if (event.kind === "change") yield event;
  if (event.kind !== "rows") return;
  for (const row of event.rows) yield { ...event, rows: [row] };
}

/** How it is written. */
interface Frames {
  of(event: SqlEvent): string;
  /** Undefined: whoever carries the text shows that by itself. */
  readonly silence: string | undefined;
  readonly end: string;
  problem(problem: Problem): string;
}

const framesOf = {
  messages: (): Frames => ({
    of: messageOf,
    silence: "{}",
    end: '{"event":"end"}',
    problem: (problem) => `{"event":"problem","data":${JSON.stringify(problem)}}`,
  }),
  events: (): Frames => {
    const format = sqlFormats["text/event-stream"]();
    return {
      of: (event) => utf8.decode(format.take(event)),
      silence: undefined,
      end: utf8.decode(format.end()),
      problem: (problem) => utf8.decode(format.fail(problem) ?? undefined),
    };
  },
} as const;

function messageOf(event: SqlEvent): string {
  switch (event.kind) {
    case "columns": {
      const columns = event.columns.map(({ name, type }) => ({ name, type: showType(type) }));
      return JSON.stringify({ columns });
    }
    case "change": {
      const { kind, cursor, row } = event.change;
      const data = `{"change":"${kind}","row":${utf8.decode(row)}}`;
      return `{"cursor":${JSON.stringify(cursor)},"data":${data}}`;
    }
    case "rows":
      return `{"data":${utf8.decode(event.rows[0])}}`;
    case "message":
      return "{}";
  }
}
