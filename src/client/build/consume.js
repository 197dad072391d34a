import { offsetText, recordOf, } from "./consumed-record.js";
import { follow } from "./follow.js";
import { pollTopic } from "./poll.js";
import { followSocket } from "./socket.js";
/** Connections in a row on which no event came: something on the way keeps them back. */
const muteConnectionsMax = 2;
/**
 * Yields records as they come, of each partition in order, none lost and none twice.
 * @throws MillraceError when it cannot go on: `topic_unknown`, `topic_recreated`, 401, 403.
 */
export async function* consume(connection, topic, options = {}) {
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
        if (transport === "events" || signal?.aborted === true)
            return;
    }
    yield* pollTopic(connection, target, options, place.cursor);
}
/** Ends without an error when `auto` should go on by polls. */
async function* consumeEvents(link, { path, query }, options, place) {
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
                options.onGap?.(JSON.parse(event.data));
            }
            else if (event.name === "message" && event.data !== null) {
                // The cursor moves with the record: who leaves the loop here has had it.
                place.cursor = event.id ?? place.cursor;
                yield recordOf(JSON.parse(event.data), place.cursor ?? "", options.parse);
                continue;
            }
            place.cursor = event.id ?? place.cursor;
        }
    }
}
