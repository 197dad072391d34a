/**
 * Which Durable Object answers a request. What must not be taken apart keeps to one object: a
 * producer's sequence, a group's coordinator. All else is spread over the log's shards.
 */
import { murmur2 } from "../../record/murmur2.ts";

/** The object that runs maintenance, and all that needs to be somewhere. */
export const firstShard = "0";

export interface ObjectPlace {
  /** Of which class it is. */
  readonly kind: "log" | "group";
  readonly name: string;
}

export function objectPlaceOf(
  request: Pick<Request, "headers">,
  pathname: string,
  shards: number,
): ObjectPlace {
  const group = /^\/v1\/groups\/([^/]+)/.exec(pathname)?.[1];
  if (group !== undefined) return { kind: "group", name: decoded(group) };
  // What is said of queries is said where the last statement was: it sees it at once.
  const isSql = /^\/v1\/(?:sql|queries)(?:\/|$)/.test(pathname);
  const shard = shards === 1 || isSql ? firstShard : shardOf(stickyName(request, pathname), shards);
  return { kind: "log", name: String(shard) };
}

/** An HTTP producer by its name; else the client's address and the topic. */
function stickyName(request: Pick<Request, "headers">, pathname: string): string {
  const producer = request.headers.get("Producer-Id");
  if (producer !== null) return producer;
  const topic = /^\/v1\/topics\/([^/]+)/.exec(pathname)?.[1] ?? "";
  return `${request.headers.get("CF-Connecting-IP") ?? ""} ${topic}`;
}

function shardOf(name: string, shards: number): number {
  return (murmur2(new TextEncoder().encode(name)) >>> 0) % shards;
}

/** Two spellings of a group's id are one group; what is no spelling is refused by its object. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
