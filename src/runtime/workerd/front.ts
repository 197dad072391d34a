/**
 * What stands before the objects, in an isolate near the client: whoever may not ask wakes none of
 * them, since waking one costs money and time.
 */
import type { Logger } from "../../base/log.ts";
import { StreamError } from "../../base/stream-error.ts";
import { ClientScript } from "../../server/http/client-script.ts";
import { Guard } from "../../server/http/guard.ts";
import { problemResponse, responseOfError } from "../../server/http/problem-response.ts";
import { isPublicRead } from "../../server/http/public-read.ts";
import type { RequestHead } from "../../server/http/request-head.ts";
import { shownToken } from "../../server/http/shown-token.ts";
import { parseToken } from "../../wire/http/access-token.ts";
import { UsageError } from "../node/options.ts";
import { AppendCalls } from "./append-calls.ts";
import type { Bindings } from "./bindings.ts";
import { clientText } from "./client-text.ts";
import { throughCache } from "./edge-cache.ts";
import { objectPlaceOf } from "./object-names.ts";
import { type WorkerSettings, workerSettingsOf } from "./settings.ts";

const appendCalls = new AppendCalls();
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
  const { token, shards, publicTopics } = settings;
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
      if (shown === undefined) {
        if (!isPublicRead(head, publicTopics)) guard.check(head);
      } else checkShownToken(shown.text, pathname);
    }
  } catch (error) {
    const refusal = responseOfError(error, log);
    guard.decorate(head, refusal);
    return refusal;
  }
  try {
    const { kind, name } = objectPlaceOf(request, pathname, shards);
    const objects = kind === "group" ? bindings.GROUPS : bindings.LOG;
    if (append !== undefined) {
      return await appendCalls.ask(request, append, { objects, name, later });
    }
    const ask = () => objects.getByName(name).fetch(request);
    return await throughCache(request, { publicTopics, ask, later });
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

/**
 * An access token is known to the objects, which check it; here only what cannot be one, or cannot
 * be good for the path, is kept from them.
 */
function checkShownToken(text: string, pathname: string): void {
  if (parseToken(text) === undefined) {
    throw new StreamError("unauthenticated", "Cannot answer: the access token is cut off");
  }
  if (/^\/v1\/topics\/[^/]+\/./.test(pathname)) return;
  throw new StreamError("unauthorized", "Cannot answer: access tokens are for records alone");
}

function healthOf({ method }: Request): Response {
  const body = method === "HEAD" ? null : JSON.stringify({ status: "ok" });
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
