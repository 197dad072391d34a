/**
 * Follows a topic by requests that wait for records: where proxies, or a runtime whose answers do
 * not stream, keep events back. A topic of one partition is heard of at once; of several, one is
 * waited for at a time, and all are looked at twice a second.
 */
import { Backoff } from "./backoff.js";
import { offsetText, recordOf, } from "./consumed-record.js";
import { hasEnded } from "./follow.js";
import { asMillraceError, MillraceError } from "./millrace-error.js";
import { readCursor, writeCursor } from "./topic-cursor.js";
/** Below the time that a request may take to be answered, and what proxies bear. */
const waitMsAlone = 20_000;
const waitMsOfSeveral = 500;
export async function* pollTopic(connection, topic, options, cursor) {
    const { signal } = options;
    const poller = new Poller(connection, topic, options);
    const backoff = new Backoff(connection.platform, connection.backoff);
    while (!hasEnded(signal)) {
        try {
            await poller.begin(cursor);
            for (;;) {
                yield* poller.sweep();
                backoff.reset();
            }
        }
        catch (error) {
            if (hasEnded(signal))
                return;
            const failure = asMillraceError(error);
            if (!failure.retriable)
                throw failure;
            options.onTrouble?.(failure);
            await backoff.wait(signal, failure.retryAfterMs);
        }
    }
}
class Poller {
    #connection;
    #path;
    #options;
    #place;
    #hadNews = true;
    #waitedFor = 0;
    constructor(connection, topic, options) {
        this.#connection = connection;
        this.#path = `/v1/topics/${encodeURIComponent(topic)}`;
        this.#options = options;
    }
    /** Finds where to begin; once. */
    async begin(cursor) {
        if (this.#place !== undefined)
            return;
        if (cursor !== undefined) {
            this.#place = readCursor(cursor);
            return;
        }
        const { topicId, partitions } = await this.#ask("");
        const offset = offsetText(this.#options.from);
        const offsets = [];
        for (let partition = 0; partition < partitions; partition++) {
            if (/^\d/.test(offset))
                offsets.push(Number(offset));
            else
                offsets.push(await this.#firstOffset(partition, offset));
        }
        this.#place = { topicId, offsets };
    }
    /** All partitions once; after a sweep without news it waits for one of them. */
    async *sweep() {
        const count = this.#place?.offsets.length ?? 0;
        if (!this.#hadNews)
            this.#waitedFor = (this.#waitedFor + 1) % count;
        const waitMs = count === 1 ? waitMsAlone : waitMsOfSeveral;
        const isIdle = !this.#hadNews;
        this.#hadNews = false;
        for (let partition = 0; partition < count; partition++) {
            const isWaiting = isIdle && partition === this.#waitedFor;
            yield* this.#read(partition, isWaiting ? waitMs : 0);
        }
    }
    async *#read(partition, waitMs) {
        const { parse } = this.#options;
        const values = parse === undefined ? "json" : "text";
        const offset = this.#offsetOf(partition);
        let answer;
        try {
            const query = `offset=${offset}&waitMs=${waitMs}&values=${values}`;
            answer = await this.#ask(`/partitions/${partition}/records?${query}`);
        }
        catch (error) {
            const start = startAfterGap(error, offset);
            if (start === undefined)
                throw error;
            this.#options.onGap?.({ partition, from: offset, to: start });
            this.#move(partition, start);
            this.#hadNews = true;
            return;
        }
        for (const record of answer.records) {
            this.#hadNews = true;
            this.#move(partition, record.offset + 1);
            const cursor = writeCursor(this.#place);
            yield recordOf({ ...record, partition }, cursor, parse);
        }
        this.#move(partition, answer.nextOffset);
    }
    #offsetOf(partition) {
        return this.#place?.offsets[partition] ?? 0;
    }
    #move(partition, nextOffset) {
        if (this.#place === undefined)
            return;
        const { topicId, offsets } = this.#place;
        this.#place = {
            topicId,
            offsets: offsets.map((offset, index) => (index === partition ? nextOffset : offset)),
        };
    }
    async #firstOffset(partition, offset) {
        const path = `/partitions/${partition}/records?maxBytes=1&offset=${offset}`;
        const { records, nextOffset } = await this.#ask(path);
        return records[0]?.offset ?? nextOffset;
    }
    async #ask(path) {
        const { signal } = this.#options;
        const headers = { Accept: "application/json" };
        const answer = await this.#connection.request(this.#path + path, { headers, signal });
        return (await answer.json());
    }
}
/** The first record that is left, where those asked for are deleted. */
function startAfterGap(error, offset) {
    if (!(error instanceof MillraceError) || error.code !== "offset_out_of_range")
        return undefined;
    const start = error.details["logStartOffset"];
    return typeof start === "number" && start > offset ? start : undefined;
}
