/**
 * Cloudflare's cache of the place where a request comes in. Answers of a Worker are in no CDN's
 * cache by themselves; what anybody may read and no time changes is put there, and so catch-up of
 * many readers wakes no object and reads no bucket.
 */
import { isPublicRead } from "../../server/http/public-read.ts";

/** What is used of it. */
interface EdgeCache {
  match(key: Request): Promise<Response | undefined>;
  put(key: Request, response: unknown): Promise<void>;
}

declare const caches: { readonly default: EdgeCache };

/** The cached answer, or else that of `ask`, which `later` may finish keeping. */
export async function throughCache(
  request: Request,
  options: {
    readonly publicTopics: readonly string[];
    readonly ask: () => Promise<Response>;
    readonly later: (work: Promise<unknown>) => void;
  },
): Promise<Response> {
  const { publicTopics, ask, later } = options;
  const key = isPublicRead(request, publicTopics) ? keyOf(request) : undefined;
  if (key === undefined) return ask();
  const known = await caches.default.match(key);
  if (known !== undefined) return known;
  const response = await ask();
  const isKept = /^public, max-age=/.test(response.headers.get("Cache-Control") ?? "");
  if (response.status === 200 && isKept) later(caches.default.put(key, response.clone()));
  return response;
}

/** The cache knows URLs alone, so that the media type goes into it. */
function keyOf(request: Request): Request | undefined {
  const url = new URL(request.url);
  const { searchParams } = url;
  if (request.method !== "GET" || !searchParams.has("endOffset")) return undefined;
  if (!searchParams.has("topicId") || request.headers.has("Authorization")) return undefined;
  searchParams.set("accept", request.headers.get("Accept") ?? "");
  return new Request(url.href);
}
