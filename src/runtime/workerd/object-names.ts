/**
 * Which Durable Object answers a request. A group has one, what is said of queries goes to the
 * first shard; all else is spread over the log's shards, which shard-spread.ts chooses from.
 */

/** The object that runs maintenance, and all that needs to be somewhere. */
export const firstShard = "0";

export type ObjectPlace =
  | { readonly kind: "group" | "log"; readonly name: string }
  /** A shard, the same for the same connection while their number stays. */
  | { readonly kind: "shards"; readonly connection: string };

export function objectPlaceOf(
  { headers }: Pick<Request, "headers">,
  pathname: string,
): ObjectPlace {
  const group = /^\/v1\/groups\/([^/]+)/.exec(pathname)?.[1];
  if (group !== undefined) return { kind: "group", name: decoded(group) };
  // What is said of queries is said where the last statement was: it sees it at once.
  const isSql = /^\/v1\/(?:sql|queries)(?:\/|$)/.test(pathname);
  if (isSql) return { kind: "log", name: firstShard };
  const topic = /^\/v1\/topics\/([^/]+)/.exec(pathname)?.[1] ?? "";
  return { kind: "shards", connection: `${headers.get("CF-Connecting-IP") ?? ""} ${topic}` };
}

/** Two spellings of a group's id are one group; what is no spelling is refused by its object. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
