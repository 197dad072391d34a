/** `POST` and `GET /v1/sql`: runs a script, or one SELECT, and writes what it gives as it comes. */
import { type Context, Hono } from "hono";
import type { SocketHandler } from "../../base/message-socket.ts";
import type { Gauge } from "../../base/metrics.ts";
import { StreamError } from "../../base/stream-error.ts";
import { SqlSession } from "../../pipeline/sql-session.ts";
import { eventStreamMediaType, preferredType } from "../../wire/http/media-type.ts";
import { selectQuery } from "../../wire/http/queries.ts";
import { sqlRequest } from "../../wire/http/sql-shapes.ts";
import { checkQuery } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { eventStreamHeaders } from "./event-frame.ts";
import { notAcceptable, problemOfError } from "./problem-response.ts";
import { receiveJson } from "./request-json.ts";
import { protocolOf, upgradeRequired } from "./socket.ts";
import { type SqlFormat, type SqlMediaType, sqlFormats } from "./sql-formats.ts";
import { checkIsSelect, runScript, type SqlEvent } from "./sql-script.ts";
import { type SqlFrames, SqlSocket } from "./sql-socket.ts";

/** The longest script, escaped in JSON; the parser says what it thinks of its length. */
const bodyBytesMax = 16 * 1024 * 1024;
/** Scripts that run at a time; those that hold a thread have a bound of their own. */
const scriptsMax = 1_024;

/** Silence after which an answer without an end shows that it lives. */
const heartbeatMs = 15_000;

const noBytes = new Uint8Array(0);

/** For the metrics alone; other servers use the same number. */
const clientLeft = 499;

const offered = Object.keys(sqlFormats) as SqlMediaType[];

export interface SqlSockets {
  readonly app: Hono;
  /** The handler of a socket that rested with this state; undefined: it is another's. */
  resume(state: string): SocketHandler | undefined;
}

/** What is kept of a socket that rests. */
interface Resting {
  readonly sql: string;
  readonly frames: SqlFrames;
  readonly cursor: string;
  readonly credit: number;
}

export function sqlApp(context: HttpContext, endpoints: Endpoints): SqlSockets {
  const app = new Hono();
  const open = context.metrics.gauge({
    name: "millrace_http_sql_scripts",
    help: "SQL scripts that run for HTTP clients.",
  });
  endpoints.mount(app, "sql", (c) => sql(c, context, open));
  endpoints.mount(app, "select", (c) => select(c, context, open));
  endpoints.mount(app, "selectSocket", (c) => selectSocket(c, context, open));
  return {
    app,
    resume(state) {
      const resting = JSON.parse(state) as Partial<Resting>;
      return isResting(resting) ? socketOf(context, open, resting) : undefined;
    },
  };
}

function isResting(state: Partial<Resting>): state is Resting {
  return state.sql !== undefined;
}

async function sql(c: Context, context: HttpContext, open: Gauge): Promise<Response> {
  const type = preferredType(c.req.raw.headers.get("Accept"), offered);
  if (type === undefined) return notAcceptable(offered);
  const {
    sql: text,
    settings = {},
    cursor,
  } = await receiveJson(...([sqlRequest, c, context, bodyBytesMax] as const));
  const session = new SqlSession();
  for (const [key, value] of Object.entries(settings)) session.set(key, value);
  return await answerScript(c.req.raw, { context, open, type, text, session, cursor });
}

/** A GET changes nothing, whoever sends it: no statement but a SELECT. */
async function select(c: Context, context: HttpContext, open: Gauge): Promise<Response> {
  const type = preferredType(c.req.raw.headers.get("Accept"), offered);
  if (type === undefined) return notAcceptable(offered);
  const { sql: text, cursor } = checkQuery(selectQuery, c.req.raw.url);
  checkIsSelect(text);
  const { headers } = c.req.raw;
  if (context.carriesStreams === true && headers.has("Upgrade") && type === eventStreamMediaType) {
    const place = headers.get("Last-Event-ID") || (cursor ?? null);
    const answer = await openSocket(c, { context, open, text, cursor: place, frames: "events" });
    for (const [name, value] of Object.entries(eventStreamHeaders)) answer.headers.set(name, value);
    return answer;
  }
  const session = new SqlSession();
  return await answerScript(c.req.raw, { context, open, type, text, session, cursor });
}

/** As `select`, over a WebSocket. What fails before the first row answers the handshake. */
async function selectSocket(c: Context, context: HttpContext, open: Gauge): Promise<Response> {
  const { raw: request } = c.req;
  const { sql: text, cursor = null } = checkQuery(selectQuery, request.url);
  const isAsked = request.headers.get("Upgrade")?.toLowerCase() === "websocket";
  if (!isAsked) return upgradeRequired();
  return await openSocket(c, { context, open, text, cursor, frames: "messages" });
}

interface OpenSocket extends Pick<Script, "context" | "open" | "text"> {
  readonly cursor: string | null;
  readonly frames: SqlFrames;
}

async function openSocket(c: Context, what: OpenSocket): Promise<Response> {
  const { context, open, text: sql, cursor, frames } = what;
  const { upgradeSocket } = context;
  if (upgradeSocket === undefined) return upgradeRequired();
  const protocol = frames === "messages" ? protocolOf(c) : undefined;
  checkIsSelect(sql);
  checkRoom(open);
  const handler = socketOf(context, open, { sql, cursor, frames });
  try {
    await handler.begin();
    return upgradeSocket(c.req.raw, { handler, protocol, mayRest: true });
  } catch (error) {
    void handler.leave();
    throw error;
  }
}

function socketOf(
  { sql: service, platform, shutdown }: HttpContext,
  open: Gauge,
  what: Resting | (Pick<Resting, "sql" | "frames"> & { readonly cursor: string | null }),
): SqlSocket {
  const { sql, frames, cursor } = what;
  open.set(open.value + 1);
  return new SqlSocket({
    ...{ platform, shutdown, frames },
    ...("credit" in what && { rested: what }),
    events: (run) =>
      runScript(service, {
        ...{ sql, session: new SqlSession(), cursor, ...run },
        ...{ wanted: "last", takesChanges: true },
      }),
    isStill: (place) => service.isStill(place),
    stateOf: (rested) => JSON.stringify({ sql, frames, ...rested } satisfies Resting),
    finish: () => open.set(open.value - 1),
  });
}

function checkRoom(open: Gauge): void {
  if (open.value < scriptsMax) return;
  throw new StreamError("queue_full", `Cannot run SQL: ${scriptsMax} scripts run already`);
}

interface Script {
  readonly context: HttpContext;
  readonly open: Gauge;
  readonly type: SqlMediaType;
  readonly text: string;
  readonly session: SqlSession;
  readonly cursor: string | undefined;
}

async function answerScript(request: Request, script: Script): Promise<Response> {
  const { context, open, type, text, session } = script;
  checkRoom(open);
  const left = new AbortController();
  const signal = AbortSignal.any([context.shutdown, request.signal, left.signal]);
  const format = sqlFormats[type]();
  const events = runScript(context.sql, {
    ...{ sql: text, session, signal, wanted: format.wanted },
    takesChanges: format.heartbeat !== null,
    cursor: request.headers.get("Last-Event-ID") || (script.cursor ?? null),
  });
  open.set(open.value + 1);
  const answer = new SqlAnswer(context, { format, events, left }, () => open.set(open.value - 1));
  let body: Awaited<ReturnType<SqlAnswer["begin"]>>;
  try {
    body = await answer.begin();
  } catch (error) {
    // Nobody reads the answer: that the script was broken off is no failure.
    if (request.signal.aborted && !context.shutdown.aborted) {
      return new Response(null, { status: clientLeft });
    }
    throw error;
  }
  return new Response(body, {
    headers: {
      "Content-Type": type,
      "Cache-Control": "no-store, no-transform",
      "X-Accel-Buffering": "no",
      "X-Content-Type-Options": "nosniff",
    },
  });
}

interface AnswerParts {
  readonly format: SqlFormat;
  readonly events: AsyncGenerator<SqlEvent, void>;
  /** Aborted when the client has left. */
  readonly left: AbortController;
}

class SqlAnswer {
  readonly #context: HttpContext;
  readonly #parts: AnswerParts;
  readonly #finish: () => void;
  #isOpen = true;
  #goesOn = false;
  #coming: Promise<IteratorResult<SqlEvent, void>> | undefined;

  constructor(context: HttpContext, parts: AnswerParts, finish: () => void) {
    this.#context = context;
    this.#parts = parts;
    this.#finish = finish;
  }

  /**
   * The body, once there is something to show.
   * @throws what failed before.
   */
  async begin(): Promise<ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>> {
    try {
      const first = await this.#next();
      if (first.isLast) {
        this.#close();
        return first.bytes as Uint8Array<ArrayBuffer>;
      }
      return this.#stream(first.bytes);
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** The next bytes that are any; none where an answer begins that goes on without an end. */
  async #next(): Promise<{ readonly bytes: Uint8Array; readonly isLast: boolean }> {
    const { format } = this.#parts;
    for (;;) {
      const event = await this.#eventOrHeartbeat();
      if (event === "heartbeat") return { bytes: format.heartbeat ?? noBytes, isLast: false };
      if (event.done === true) return { bytes: format.end(), isLast: true };
      const bytes = format.take(event.value);
      if (event.value.kind === "columns") this.#goesOn = event.value.goesOn;
      if (bytes.length > 0 || (event.value.kind === "columns" && this.#goesOn)) {
        return { bytes, isLast: false };
      }
    }
  }

  /** What never ends says now and then that it lives. */
  async #eventOrHeartbeat(): Promise<IteratorResult<SqlEvent, void> | "heartbeat"> {
    this.#coming ??= this.#parts.events.next();
    const coming = this.#coming;
    if (!this.#goesOn) return await this.#arrived(coming);
    const { timers } = this.#context.platform;
    const over = new AbortController();
    const silence = timers.sleep(heartbeatMs, over.signal).then(() => "heartbeat" as const);
    const first = await Promise.race([coming, silence]).finally(() => over.abort());
    return first === "heartbeat" ? first : await this.#arrived(coming);
  }

  #arrived(coming: Promise<IteratorResult<SqlEvent, void>>) {
    this.#coming = undefined;
    return coming;
  }

  #stream(first: Uint8Array): ReadableStream<Uint8Array> {
    let held: Uint8Array | undefined = first;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const bytes = held;
          held = undefined;
          if (bytes !== undefined && bytes.length > 0) {
            controller.enqueue(bytes);
            return;
          }
          const isOver = await this.#pull(controller);
          if (isOver) this.#close();
        },
        cancel: () => {
          this.#parts.left.abort();
          this.#close();
        },
      },
      { highWaterMark: 0 },
    );
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<boolean> {
    try {
      const { bytes, isLast } = await this.#next();
      if (!this.#isOpen) return true;
      if (bytes.length > 0) controller.enqueue(bytes);
      if (isLast) controller.close();
      return isLast;
    } catch (error) {
      if (!this.#isOpen) return true;
      const problem = problemOfError(error, this.#context.platform.log);
      const tail = this.#parts.format.fail(problem);
      if (tail === null) controller.error(error);
      else {
        controller.enqueue(tail);
        controller.close();
      }
      return true;
    }
  }

  /** Ends the script where it is; what it runs is closed in its own time. */
  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#finish();
    this.#parts.events.return().catch((error: unknown) => {
      this.#context.platform.log.debug("a script that was left ended badly", { error });
    });
  }
}
