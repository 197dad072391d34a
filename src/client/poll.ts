/**
 * Follows a topic by requests that wait for records: where proxies, or a runtime whose answers do
 * not stream, keep events back.
 */
import { answered } from "./answered.ts";
import { Backoff } from "./backoff.ts";
import type { ServerLink } from "./connection.ts";
import {
  type ConsumedRecord,
  type ConsumeOptions,
  type Gap,
  type RecordJson,
  recordOf,
} from "./consumed-record.ts";
import { readCursor, writeCursor } from "./topic-cursor.ts";

/** Below the time that a request may take to be answered, and what proxies bear. */
const waitMs = 20_000;

interface Answer {
  readonly records: readonly RecordJson[];
  readonly gaps: readonly Gap[];
  /** The place behind all of them. */
  readonly cursor: string;
}

/** `query` says what is to be read, and from where unless there is a cursor. */
export async function* pollTopic<V>(
  link: ServerLink,
  { path, query }: { readonly path: string; readonly query: string },
  options: ConsumeOptions<V>,
  start: string | undefined,
): AsyncGenerator<ConsumedRecord<V>, void> {
  const { signal, parse } = options;
  const backoff = new Backoff(link.platform, link.backoff);
  let cursor = start;
  // The first request does not wait: where it stands is where the next one goes on.
  let wait = cursor === undefined ? 0 : waitMs;
  for (;;) {
    const asked = async () => {
      const place = cursor === undefined ? "" : `&cursor=${cursor}`;
      const address = `${path}/records?${query}&waitMs=${wait}${place}`;
      const init = { headers: { Accept: "application/json" }, signal };
      return (await (await link.request(address, init)).json()) as Answer;
    };
    const answer = await answered(asked, backoff, options);
    if (answer === undefined) return;
    options.onOpen?.();
    for (const gap of answer.gaps) options.onGap?.(gap);
    const places = placesBehind(answer);
    for (const [index, record] of answer.records.entries()) {
      yield recordOf(record, places[index] ?? answer.cursor, parse);
    }
    cursor = answer.cursor;
    wait = waitMs;
  }
}

/** The cursor behind each record: the last place, less what comes after the record. */
function placesBehind({ records, cursor }: Answer): readonly string[] {
  const { topicId, offsets } = readCursor(cursor);
  const next = [...offsets];
  const places: string[] = [];
  for (const { partition, offset } of [...records].reverse()) {
    places.push(writeCursor({ topicId, offsets: next }));
    next[partition] = offset;
  }
  return places.reverse();
}
