/**
 * Lets in who shows an access token: a page or a device that may append to a topic, or read it, and
 * nothing else. What is wrong with the token itself is 401; what it is not good for is 403.
 */
import type { Platform } from "../../base/platform.ts";
import { isSameSecret } from "../../base/same-secret.ts";
import { StreamError } from "../../base/stream-error.ts";
import {
  type AccessToken,
  type AccessTokenStore,
  accessTokensMax,
  type TokenOperation,
} from "../../meta/access-tokens.ts";
import { parseToken } from "../../wire/http/access-token.ts";
import { RecordRate } from "./record-rate.ts";
import type { RequestHead } from "./request-head.ts";
import { isSiteItself, type ShownToken } from "./shown-token.ts";
import { TokenBook } from "./token-book.ts";

/** What a route is asked for. */
export interface TokenUse {
  /** Undefined: no token is good for the route. */
  readonly operation: TokenOperation | undefined;
  readonly topic: string;
}

/** What a token allows a request. */
export interface Grant {
  /** Its pages alone may use it. */
  readonly hasOrigins: boolean;
  /** @throws StreamError `rate_exceeded`, `request_too_large`. */
  takeRecords(count: number): void;
}

const utf8 = new TextEncoder();
/** Compared with where there is no token, so that an unknown one takes as long. */
const noHash = "0".repeat(64);

export class TokenGate {
  readonly book: TokenBook;
  readonly #platform: Platform;
  readonly #rates = new Map<string, RecordRate>();

  constructor(store: AccessTokenStore, platform: Platform) {
    this.book = new TokenBook(store, platform);
    this.#platform = platform;
  }

  /**
   * @throws StreamError `unauthenticated`, `unauthorized`, `origin_denied`, `rate_exceeded`,
   * `metadata_unavailable`.
   */
  async admit(request: RequestHead, shown: ShownToken, use: TokenUse): Promise<Grant> {
    if (shown.place === "query" && use.operation !== "write") {
      throw refusal("only appends take a token from the query; send Authorization: Bearer");
    }
    const token = await this.#tokenOf(shown.text);
    const { expiresAt, operations, topics, origins } = token;
    if (expiresAt !== null && expiresAt <= this.#platform.clock.now()) {
      throw refusal("the access token has expired");
    }
    const { operation, topic } = use;
    if (operation === undefined || !operations.includes(operation)) {
      throw notGoodFor(`the access token is for ${operations.join(" and ")} of its topics alone`);
    }
    if (!topics.includes(topic)) throw notGoodFor("the access token is for other topics");
    if (origins.length > 0) checkOrigin(request, origins);
    const takeRecords = (count: number) => this.#takeRecords(token, count);
    // Whoever is over the bound already is told before the body is read.
    if (operation === "write") this.#waitForRecords(token, 1);
    return { hasOrigins: origins.length > 0, takeRecords };
  }

  async #tokenOf(text: string): Promise<AccessToken> {
    const parsed = parseToken(text);
    if (parsed === undefined) throw refusal("the access token is cut off or misspelt");
    const [token, hash] = await Promise.all([
      this.book.find(parsed.tokenId),
      hashOfSecret(parsed.secret),
    ]);
    const isSame = isSameSecret(hash, token?.secretHash ?? noHash);
    if (token !== undefined && isSame) return token;
    throw refusal("the access token is unknown or was revoked");
  }

  #takeRecords(token: AccessToken, count: number): void {
    this.#waitForRecords(token, count)?.take(count);
  }

  /** The token's rate, if it has one, when `count` records may come now. */
  #waitForRecords(token: AccessToken, count: number): RecordRate | undefined {
    const { tokenId, recordsPerSecondMax: perSecond } = token;
    if (perSecond === null) return undefined;
    const now = this.#platform.clock.monotonic();
    let rate = this.#rates.get(tokenId);
    if (rate === undefined) {
      // Those of tokens that are gone go with the others, which begin anew.
      if (this.#rates.size >= accessTokensMax) this.#rates.clear();
      rate = new RecordRate(perSecond, now);
      this.#rates.set(tokenId, rate);
    }
    if (count > rate.burst) throw tooMany(count, rate.burst);
    const waitMs = rate.waitMs(count, now);
    if (waitMs > 0) throw tooFast(perSecond, waitMs);
    return rate;
  }
}

/** What the metadata holds of a token's secret. */
export async function hashOfSecret(secret: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", utf8.encode(secret));
  return new Uint8Array(hash).toHex();
}

function checkOrigin(request: RequestHead, origins: readonly string[]): void {
  const origin = request.headers.get("Origin");
  if (origin === null && isSiteItself(request, origins)) return;
  if (origin !== null && origins.includes(origin)) return;
  const whose = origin === null ? "a request without an origin" : `a page of origin "${origin}"`;
  throw new StreamError("origin_denied", `Cannot take the access token from ${whose}`, {
    details: { field: "Origin", expected: "an origin of the token" },
  });
}

function refusal(why: string): StreamError {
  return new StreamError("unauthenticated", `Cannot answer: ${why}`, {
    details: { field: "Authorization", expected: "Bearer and an access token that is good" },
  });
}

function notGoodFor(why: string): StreamError {
  return new StreamError("unauthorized", `Cannot answer: ${why}`);
}

function tooFast(perSecond: number, waitMs: number): StreamError {
  const retryAfterSeconds = Math.ceil(waitMs / 1000);
  return new StreamError(
    "rate_exceeded",
    `Cannot append now: the access token is good for ${perSecond} records a second; come again ` +
      `in ${retryAfterSeconds} s`,
    { details: { retryAfterSeconds } },
  );
}

function tooMany(count: number, burst: number): StreamError {
  return new StreamError(
    "request_too_large",
    `Cannot append ${count} records at once with this access token: send at most ${burst}`,
    { details: { recordsMax: burst } },
  );
}
