/**
 * Follows a topic: records of all its partitions as an async iterator that goes on where it was
 * when the connection breaks, the server restarts or another one answers.
 */
import type { Connection, ServerLink, TopicOf } from "./connection.ts";
import {
  type ConsumedRecord,
  type ConsumeOptions,
  type Gap,
  offsetText,
  type RecordJson,
  recordOf,
} from "./consumed-record.ts";
import { follow } from "./follow.ts";
import { pollTopic } from "./poll.ts";
import { followSocket } from "./socket.ts";

/** Connections in a row on which no event came: something on the way keeps them back. */
const muteConnectionsMax = 2;

/**
 * Yields records as they come, of each partition in order, none lost and none twice.
 * @throws MillraceError when it cannot go on: `topic_unknown`, `topic_recreated`, 401, 403.
 */
export async function* consume<T, K extends TopicOf<T>>(
  connection: Connection<T>,
  topic: K,
  options: ConsumeOptions<T[K]> = {},
): AsyncGenerator<ConsumedRecord<T[K]>, void> {
  const { transport = "auto", signal, parse } = options;
  const target = {
    path: `/v1/topics/${encodeURIComponent(topic)}`,
    query: `values=${parse === undefined ? "json" : "text"}&offset=${offsetText(options.from)}`,
  };
  if (transport === "websocket") {
    yield* followSocket(connection, target, options, options.cursor);
    return;
  }
  const place = { cursor: options.cursor };
  if (transport !== "poll") {
    yield* consumeEvents(connection, target, options, place);
    if (transport === "events" || signal?.aborted === true) return;
  }
  yield* pollTopic(connection, target, options, place.cursor);
}

/** Ends without an error when `auto` should go on by polls. */
async function* consumeEvents<V>(
  link: ServerLink,
  { path, query }: { readonly path: string; readonly query: string },
  options: ConsumeOptions<V>,
  place: { cursor: string | undefined },
): AsyncGenerator<ConsumedRecord<V>, void> {
  const { transport = "auto" } = options;
  let muteConnections = 0;
  const batches = follow(link, {
    ...options,
    request: () => ({
      path: `${path}/stream?${query}`,
      headers: {
        Accept: "text/event-stream",
        ...(place.cursor !== undefined && { "Last-Event-ID": place.cursor }),
      },
    }),
    onTrouble(error, isMute) {
      muteConnections = isMute ? muteConnections + 1 : 0;
      options.onTrouble?.(error);
      return transport === "auto" && muteConnections >= muteConnectionsMax;
    },
  });
  for await (const events of batches) {
    for (const event of events) {
      if (event.name === "gap" && event.data !== null) {
        options.onGap?.(JSON.parse(event.data) as Gap);
      } else if (event.name === "message" && event.data !== null) {
        // The cursor moves with the record: who leaves the loop here has had it.
        place.cursor = event.id ?? place.cursor;
        yield recordOf(JSON.parse(event.data) as RecordJson, place.cursor ?? "", options.parse);
        continue;
      }
      place.cursor = event.id ?? place.cursor;
    }
  }
}
