/**
 * Who may ask. Three checks stand before every route that is not open:
 *
 * - *Host.* A page whose DNS name was rebound to 127.0.0.1 is of the same origin as far as its
 *   browser knows, but its name stands in Host. On a loopback bind only loopback names are taken,
 *   and those of the listed origins (a proxy in front).
 * - *Origin.* Browsers name the page's origin with every write, whoever it is sent to. Writes are
 *   taken from listed origins and from pages of this server itself, never from others, nor from
 *   the origin `null` (sandboxed frames, files). Reads of others get no CORS headers, so their
 *   browser keeps the answer from them. SQL is checked as writes are even where it only reads: it
 *   costs more than a read does, and an image's address must not start it.
 * - *Token*, when one is set: `Authorization: Bearer …`.
 */
import { isSameSecret } from "../../base/same-secret.ts";
import { StreamError } from "../../base/stream-error.ts";
import type { HttpSettings } from "./context.ts";
import type { RequestHead } from "./request-head.ts";

/** How long browsers keep a preflight's answer, in seconds. */
const preflightSeconds = 600;

const allowedHeaders =
  "Accept, Authorization, Content-Encoding, Content-Type, If-None-Match, Last-Event-ID, " +
  "Producer-Epoch, Producer-Id, Producer-Seq";
const exposedHeaders =
  "ETag, Location, Millrace-Cursor, Millrace-High-Offset, Millrace-Log-Start-Offset, " +
  "Millrace-Next-Offset, Millrace-Topic-Id, Retry-After";

export class Guard {
  readonly #token: string | undefined;
  readonly #isLoopback: boolean;
  readonly #origins: ReadonlySet<string>;
  /** Names (without port) that the listed origins have. */
  readonly #hostNames: ReadonlySet<string>;

  constructor(settings: Pick<HttpSettings, "token" | "isLoopback" | "origins">) {
    this.#token = settings.token;
    this.#isLoopback = settings.isLoopback;
    this.#origins = new Set(settings.origins);
    this.#hostNames = new Set(settings.origins.map((origin) => new URL(origin).hostname));
  }

  /**
   * `isCostly`: a request that pages of others may not make though it reads only.
   * @throws StreamError `origin_denied`, `unauthenticated`.
   */
  check(request: RequestHead, isCostly = false): void {
    this.checkHost(request);
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (!isRead || isCostly) this.checkOrigin(request);
    if (this.#token !== undefined) this.#checkToken(request, this.#token);
  }

  /** @throws StreamError `origin_denied`. */
  checkHost(request: RequestHead): void {
    const host = hostOf(request);
    if (this.#isLoopback && !this.#isOwnName(nameOf(host))) throw foreignHost(host);
  }

  /** Pages of this origin may read and write. */
  isListed(origin: string): boolean {
    return this.#origins.has(origin);
  }

  /**
   * CORS headers for the answer to a page of a listed origin, or one that `isLetIn` otherwise; Vary
   * for every page.
   */
  decorate(request: RequestHead, response: Pick<Response, "headers">, isLetIn = false): void {
    const origin = request.headers.get("Origin");
    if (origin === null) return;
    const vary = response.headers.get("Vary") ?? "";
    if (!/\bOrigin\b/.test(vary)) response.headers.append("Vary", "Origin");
    if (!isLetIn && !this.#origins.has(origin)) return;
    response.headers.set("Access-Control-Allow-Origin", origin);
    response.headers.set("Access-Control-Expose-Headers", exposedHeaders);
  }

  /** The answer to a preflight (OPTIONS) for a path that takes `methods`. */
  preflight(request: RequestHead, methods: readonly string[]): Response {
    const origin = request.headers.get("Origin");
    if (origin !== null && !this.#origins.has(origin)) throw foreignOrigin(origin);
    return preflightAnswer(methods, origin);
  }

  /** @throws StreamError `origin_denied`, for a page that may not write. */
  checkOrigin(request: RequestHead): void {
    const host = hostOf(request);
    const origin = request.headers.get("Origin");
    if (origin === null) {
      // Old browsers leave Origin out of some writes; all new ones say where they come from here.
      const site = request.headers.get("Sec-Fetch-Site");
      if (site === "cross-site" || site === "same-site") throw foreignOrigin("unnamed");
      return;
    }
    if (this.#origins.has(origin)) return;
    if (!this.#isOwnOrigin(origin, host)) throw foreignOrigin(origin);
  }

  /**
   * A page that this server sent. Beyond loopback its name may be a rebound one as well, so a name
   * counts only when it is an address, or when a token proves more than names can.
   */
  #isOwnOrigin(origin: string, host: string): boolean {
    const isSame = origin === `http://${host}` || origin === `https://${host}`;
    if (!isSame) return false;
    const name = nameOf(host);
    return this.#token !== undefined || this.#isOwnName(name) || isAddress(name);
  }

  #isOwnName(name: string): boolean {
    return isLoopbackName(name) || this.#hostNames.has(name);
  }

  #checkToken(request: RequestHead, token: string): void {
    const authorization = request.headers.get("Authorization") ?? "";
    const presented = /^Bearer +(.+)$/i.exec(authorization)?.[1];
    if (presented !== undefined && isSameSecret(presented, token)) return;
    throw new StreamError(
      "unauthenticated",
      presented === undefined
        ? "Cannot answer without a token: send Authorization: Bearer <MILLRACE_TOKEN>"
        : "Cannot answer: the token is not this server's",
      { details: { field: "Authorization", expected: "Bearer and the server's token" } },
    );
  }
}

/** CORS headers of what pages of any origin may read, the same for all, so that caches serve it. */
export function decorateForAll({ headers }: Pick<Response, "headers">): void {
  headers.set("Access-Control-Allow-Origin", "*");
  headers.set("Access-Control-Expose-Headers", exposedHeaders);
}

/** The answer to a preflight of a page of `origin` that may use `methods`; null: to no page. */
export function preflightAnswer(methods: readonly string[], origin: string | null): Response {
  const allow = [...methods, "OPTIONS"].join(", ");
  const headers = new Headers({ Allow: allow });
  if (origin !== null) {
    headers.set("Access-Control-Allow-Origin", origin);
    headers.set("Access-Control-Allow-Methods", allow);
    headers.set("Access-Control-Allow-Headers", allowedHeaders);
    headers.set("Access-Control-Max-Age", String(preflightSeconds));
  }
  return new Response(null, { status: 204, headers });
}

function hostOf(request: RequestHead): string {
  return (request.headers.get("Host") ?? new URL(request.url).host).toLowerCase();
}

/** The host without its port; brackets of an IPv6 address stay. */
function nameOf(host: string): string {
  return host.replace(/:\d*$/, "");
}

function isLoopbackName(name: string): boolean {
  if (name === "127.0.0.1" || name === "localhost" || name === "[::1]") return true;
  return name.endsWith(".localhost") || /^127(\.\d{1,3}){3}$/.test(name);
}

function isAddress(name: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || /^\[[0-9a-f:.]+\]$/.test(name);
}

function foreignHost(host: string): StreamError {
  return new StreamError(
    "origin_denied",
    `Cannot answer for host "${host}": this server listens on loopback; use 127.0.0.1 or ` +
      "localhost, or list the name with --origins",
    { details: { field: "Host", expected: "a loopback name" } },
  );
}

function foreignOrigin(origin: string): StreamError {
  return new StreamError(
    "origin_denied",
    `Cannot take a write or SQL from a page of origin "${origin}": list it with --origins`,
    { details: { field: "Origin", expected: "an origin listed with --origins" } },
  );
}
