/** Media types, and what an Accept header (RFC 9110, 12.5.1) prefers among ours. */
export const jsonMediaType = "application/json";
export const ndjsonMediaType = "application/x-ndjson";
export const textMediaType = "text/plain";
export const scriptMediaType = "text/javascript";
export const bytesMediaType = "application/octet-stream";
export const eventStreamMediaType = "text/event-stream";
/** Kafka record batches of magic 2 end to end, as they are stored. */
export const batchesMediaType = "application/vnd.millrace.record-batches";
/** What a script gives, a JSON object per line: see sqlLine in sql-shapes.ts. */
export const sqlLinesMediaType = "application/vnd.millrace.sql-lines";
export const arrowStreamMediaType = "application/vnd.apache.arrow.stream";

/** The type and subtype of a Content-Type, without parameters, in lower case. */
export function essence(contentType: string): string {
  const end = contentType.indexOf(";");
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/**
 * The first of `offered` with the greatest weight in `accept`, or undefined when it takes none. No
 * header takes anything: the first.
 */
export function preferredType<T extends string>(
  accept: string | null | undefined,
  offered: readonly T[],
): T | undefined {
  if (!accept) return offered[0];
  const ranges = accept.split(",").map(parseRange);
  let best: T | undefined;
  let bestWeight = 0;
  for (const type of offered) {
    const weight = weightOf(type, ranges);
    if (weight <= bestWeight) continue;
    best = type;
    bestWeight = weight;
  }
  return best;
}

interface MediaRange {
  readonly type: string;
  readonly weight: number;
}

function parseRange(text: string): MediaRange {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith("q="));
  const weight = quality === undefined ? 1 : Number(quality.slice(2));
  return { type, weight: weight >= 0 && weight <= 1 ? weight : 0 };
}

/** The weight of the most specific range that fits: the type itself, its family, anything. */
function weightOf(type: string, ranges: readonly MediaRange[]): number {
  const family = `${type.slice(0, type.indexOf("/"))}/*`;
  for (const pattern of [type, family, "*/*"]) {
    const range = ranges.find((each) => each.type === pattern);
    if (range !== undefined) return range.weight;
  }
  return 0;
}
