/**
 * What stands before the objects, in an isolate near the client: whoever may not ask wakes none of
 * them, since waking one costs money and time.
 */
import type { Logger } from "../../base/log.ts";
import { StreamError } from "../../base/stream-error.ts";
import { ClientScript } from "../../server/http/client-script.ts";
import { Guard } from "../../server/http/guard.ts";
import { topicOfAppend } from "../../server/http/handed-appends.ts";
import { problemResponse, responseOfError } from "../../server/http/problem-response.ts";
import { isPublicRead } from "../../server/http/public-read.ts";
import type { RequestHead } from "../../server/http/request-head.ts";
import { type ShownToken, shownToken } from "../../server/http/shown-token.ts";
import { parseToken } from "../../wire/http/access-token.ts";
import { UsageError } from "../node/options.ts";
import { clock, timers } from "../node/platform.ts";
import { AppendCalls, type AppendHead } from "./append-calls.ts";
import type { Bindings } from "./bindings.ts";
import { asksForStream, carriedResponse, carryingRequest } from "./carried-stream.ts";
import { clientText } from "./client-text.ts";
import { throughCache } from "./edge-cache.ts";
import { loadHeader } from "./object-load.ts";
import { objectPlaceOf } from "./object-names.ts";
import { type WorkerSettings, workerSettingsOf } from "./settings.ts";
import { type Placed, ShardSpread } from "./shard-spread.ts";

const appendCalls = new AppendCalls();
/** Of this isolate: settings are its bindings', which never change. */
const spreads = new WeakMap<WorkerSettings, ShardSpread>();
const clientScript = new ClientScript(clientText);

/** For probes and tools, as on any server. */
const openPaths: ReadonlySet<string> = new Set(["/readyz", "/openapi.json"]);

export interface FrontParts {
  readonly log: Logger;
  /** What goes on when the answer has left. */
  readonly later: (work: Promise<unknown>) => void;
}

export async function answerRequest(
  request: Request,
  bindings: Bindings,
  { log, later }: FrontParts,
): Promise<Response> {
  const append = AppendCalls.headOf(request);
  const pathname = append?.pathname ?? new URL(request.url).pathname;
  if (pathname === "/healthz") return healthOf(request);
  let settings: WorkerSettings;
  try {
    settings = workerSettingsOf(bindings);
  } catch (error) {
    return misconfigured(error, log);
  }
  const { token, publicTopics } = settings;
  // What anybody may do on a laptop's loopback, nobody may do on an address of the Internet.
  if (token === undefined) return responseOfError(tokenMissing(), log);
  const head: RequestHead = append ?? request;
  const isRead = head.method === "GET" || head.method === "HEAD";
  if (pathname === "/client.js" && isRead) return clientScript.answer(request);
  const guard = guardOf(settings);
  try {
    // Browsers ask beforehand without a token.
    if (head.method !== "OPTIONS" && !openPaths.has(pathname)) {
      const shown = shownToken(head);
      const isPublic = shown?.place !== "query" && isPublicRead(head, publicTopics);
      if (shown === undefined && !isPublic) guard.check(head);
      else if (shown !== undefined && !isPublic) checkShownToken(shown, pathname);
    }
  } catch (error) {
    const refusal = responseOfError(error, log);
    guard.decorate(head, refusal);
    return refusal;
  }
  try {
    return await askObject(request, bindings, { settings, pathname, append, later });
  } catch (error) {
    log.warn("a Durable Object ended while it was asked", { error: String(error) });
    return responseOfError(objectEnded(error), log);
  }
}

const guards = new WeakMap<WorkerSettings, Guard>();

function guardOf(settings: WorkerSettings): Guard {
  let guard = guards.get(settings);
  if (guard === undefined) {
    guard = new Guard({ token: settings.token, origins: settings.origins, isLoopback: false });
    guards.set(settings, guard);
  }
  return guard;
}

function isLargeAppend({ method, url }: Request): boolean {
  return method === "POST" && topicOfAppend(url) !== undefined;
}

interface Asked extends Pick<FrontParts, "later"> {
  readonly settings: WorkerSettings;
  readonly pathname: string;
  /** Its head, where it is an append that may go together with others. */
  readonly append: AppendHead | undefined;
}

async function askObject(request: Request, bindings: Bindings, asked: Asked): Promise<Response> {
  const { settings, pathname, append, later } = asked;
  const { publicTopics } = settings;
  const { LOG: log, GROUPS: groups } = bindings;
  const where = objectPlaceOf(request, pathname);
  if (where.kind !== "shards") {
    const objects = where.kind === "group" ? groups : log;
    const object = objects.getByName(where.name);
    if (asksForStream(request, pathname)) {
      return carriedResponse(await object.fetch(carryingRequest(request)), timers);
    }
    const ask = () => object.fetch(request);
    return await throughCache(request, { publicTopics, ask, later });
  }
  const spread = spreadOf(settings);
  const { connection } = where;
  const heard = (name: string, percent: number) => spread.heard(name, percent);
  const fetched = async (name: string, what = request): Promise<Response> => {
    const response = await log.getByName(name).fetch(what);
    const percent = response.headers.get(loadHeader);
    if (percent === null) return response;
    heard(name, Number(percent));
    const headers = new Headers(response.headers);
    headers.delete(loadHeader);
    const { status, body, webSocket = null } = response as Response & { webSocket?: unknown };
    return new Response(body, { status, headers, webSocket } as ResponseInit);
  };
  if (asksForStream(request, pathname)) {
    const answer = await fetched(spread.nameFor(connection), carryingRequest(request));
    return carriedResponse(answer, timers);
  }
  const isAppend = append !== undefined || isLargeAppend(request);
  if (!isAppend) {
    const isTunnel = pathname === "/kafka";
    const ask = () => fetched(isTunnel ? spread.nextName() : spread.nameFor(connection));
    return await throughCache(request, { publicTopics, ask, later });
  }
  const place = (): Placed => {
    const head = append ?? request;
    const producer = producerOf(head);
    // An access token's rate is counted by each object for itself: it gets no more of them.
    return spread.place({ producer, connection, isRated: shownToken(head) !== undefined });
  };
  if (append !== undefined) {
    return await appendCalls.ask(request, append, { objects: log, place, heard, later });
  }
  const { name, done } = place();
  const answer = fetched(name).finally(done);
  later(answer.catch(() => undefined));
  return await answer;
}

function spreadOf(settings: WorkerSettings): ShardSpread {
  const known = spreads.get(settings);
  if (known !== undefined) return known;
  const spread = new ShardSpread(settings, () => clock.monotonic());
  spreads.set(settings, spread);
  return spread;
}

/** The producer in its topic, when it says so, in a header or as beacons do. */
function producerOf({ headers, url }: RequestHead): string | undefined {
  const named = headers.get("Producer-Id") ?? queriedProducer(url);
  return named === null ? undefined : `${topicOfAppend(url)} ${named}`;
}

function queriedProducer(url: string): string | null {
  return url.includes("Producer-Id=") ? new URL(url).searchParams.get("Producer-Id") : null;
}

/**
 * An access token is known to the objects, which check it; here only what cannot be one, or cannot
 * be good for the path, is kept from them.
 */
function checkShownToken({ text, place }: ShownToken, pathname: string): void {
  if (parseToken(text) === undefined) {
    throw new StreamError("unauthenticated", "Cannot answer: the access token is cut off");
  }
  if (/^\/v1\/topics\/[^/]+\/./.test(pathname)) return;
  if (place === "query") {
    throw new StreamError("unauthenticated", "Cannot answer: only appends take it from the query");
  }
  throw new StreamError("unauthorized", "Cannot answer: access tokens are for records alone");
}

function healthOf({ method }: Request): Response {
  const body = method === "HEAD" ? null : '{"status":"ok"}\n';
  return new Response(body, { headers: { "Content-Type": "application/json" } });
}

/** The message names a variable and what it may be, never a secret's value. */
function misconfigured(error: unknown, log: Logger): Response {
  if (!(error instanceof UsageError)) return responseOfError(error, log);
  log.error("the Worker's variables are not right", { error: error.message });
  return problemResponse({ status: 500, code: "internal", detail: error.message });
}

function tokenMissing(): StreamError {
  return new StreamError(
    "unauthorized",
    "Cannot answer anybody: this Worker has no MILLRACE_TOKEN; set it with " +
      "`wrangler secret put MILLRACE_TOKEN`",
  );
}

function objectEnded(cause: unknown): StreamError {
  return new StreamError(
    "shutting_down",
    "Cannot say what became of the request: the Durable Object that had it was replaced. Send it " +
      "again; with the headers Producer-Id, Producer-Epoch and Producer-Seq nothing is doubled",
    { cause },
  );
}
