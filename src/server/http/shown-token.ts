/** Where a request shows an access token, and whose page it comes from. */
import { isTokenText } from "../../wire/http/access-token.ts";
import type { RequestHead } from "./request-head.ts";

export interface ShownToken {
  readonly text: string;
  readonly place: "header" | "protocol" | "query";
}

/**
 * The access token that a request shows, well formed or not. In `Authorization`; else, for
 * WebSockets of browsers, which send no headers of a page's choice, among the protocols; else in
 * the query, for beacons, which send none either.
 */
export function shownToken(request: RequestHead): ShownToken | undefined {
  const { headers, url } = request;
  const authorization = headers.get("Authorization");
  if (authorization !== null) {
    const text = /^Bearer +(.+)$/i.exec(authorization)?.[1];
    return text !== undefined && isTokenText(text) ? { text, place: "header" } : undefined;
  }
  const protocols = headers.get("Sec-WebSocket-Protocol");
  if (protocols !== null && headers.get("Upgrade") !== null) {
    const text = protocols.split(/ *, */).find(isTokenText);
    if (text !== undefined) return { text, place: "protocol" };
  }
  const text = url.includes("token=") ? new URL(url).searchParams.get("token") : null;
  return text === null ? undefined : { text, place: "query" };
}

/** A page's GET of its own site, which browsers send without an Origin, from one of `origins`. */
export function isSiteItself(request: RequestHead, origins: readonly string[]): boolean {
  if (request.headers.get("Sec-Fetch-Site") !== "same-origin") return false;
  const host = request.headers.get("Host") ?? new URL(request.url).host;
  return origins.some((origin) => new URL(origin).host === host);
}
