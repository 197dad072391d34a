/** Reads that anybody may make: of the topics that the settings list as public. */
const readPath = /^\/v1\/topics\/([^/]+)\/(?:records|stream|ws|partitions\/[^/]+\/records)$/;

export function isPublicRead(
  { method, url }: Pick<Request, "method" | "url">,
  publicTopics: readonly string[],
): boolean {
  if (publicTopics.length === 0 || (method !== "GET" && method !== "HEAD")) return false;
  const name = readPath.exec(new URL(url).pathname)?.[1];
  // Names of topics have no character that URLs escape.
  return name !== undefined && publicTopics.includes(name);
}
