/**
 * Sends records to a topic: gathers them into batches, sends one batch at a time, sends again what
 * got no answer, and never appends anything twice (lane.ts says how). With a queue on disk records
 * outlive the page and the network; without one they live in memory, and what is left when the page
 * goes leaves by `sendBeacon`.
 */
import type { Connection, ServerLink, TopicOf } from "./connection.ts";
import { type LanePlace, type LaneStore, type Sent } from "./lane.ts";
import { MillraceError } from "./millrace-error.ts";
import { type RecordFields } from "./record-text.ts";
export interface SendOptions extends RecordFields {
    /**
     * Ends the waiting. A record that has not begun to leave is taken back; any other, and what lies
     * in a queue on disk, is appended all the same.
     */
    readonly signal?: AbortSignal | undefined;
}
/** Where records wait on disk: `indexedDbQueue(name)`. */
export interface ProducerQueue {
    /**
     * A new lane for this page, and those that pages before it have left behind, oldest first.
     * `later` gets those of pages that are there now, as they go.
     */
    open(topic: string, producerId: string, later: (left: LeftLane) => void): Promise<{
        own: LaneStore;
        left: readonly LeftLane[];
    }>;
}
export interface LeftLane {
    readonly place: LanePlace;
    readonly store: LaneStore;
    /** Records by batch, in order; of a batch of which some are settled, from index `done` on. */
    readonly batches: readonly {
        readonly number: number;
        readonly done: number;
        readonly texts: readonly string[];
    }[];
}
export interface ProducerOptions {
    /** How long the first record of a batch waits for others, in milliseconds. Default 10. */
    readonly lingerMs?: number;
    /** A batch ends at so many characters of JSON. Default 262 144. */
    readonly batchBytesMax?: number;
    /** Characters that may wait; more are refused with `queue_full`. Default 16 777 216. */
    readonly queueBytesMax?: number;
    /** How long a batch is tried, in milliseconds; with a queue for ever. Default 120 000. */
    readonly retryForMs?: number;
    /** Keeps records on disk until they are appended. */
    readonly queue?: ProducerQueue;
    /** Names the producer in its topic; by default a random name. With a queue always random. */
    readonly producerId?: string;
    /** An attempt failed and will be made again: the place to show that the network is gone. */
    readonly onTrouble?: (error: MillraceError) => void;
    /** In a page: send by `sendBeacon` what waits when the page goes. Default true. */
    readonly beacons?: boolean;
    /** Stops the producer as `close` does, without waiting for what is under way. */
    readonly signal?: AbortSignal;
}
export declare class Producer<V = unknown> {
    #private;
    readonly topic: string;
    constructor(connection: ServerLink, topic: string, options: ProducerOptions);
    /** Records that are not known to be appended. */
    get waiting(): number;
    /**
     * Resolves when the record is appended, with where the records of its request went. Need not be
     * awaited: records keep their order.
     * @throws MillraceError when it is refused; `timed_out` when nobody knows what became of it; the
     * reason of `signal` when that aborts.
     */
    send(value: V, { signal, ...fields }?: SendOptions): Promise<Sent>;
    /**
     * Resolves when what was sent so far is on disk, or its fate known; without a queue at once.
     * @throws MillraceError `unsaved` when the disk has no room for some of it.
     */
    saved(): Promise<void>;
    /**
     * Sends what waits now; resolves when the fate of all of it is known. `signal` ends the waiting
     * alone: what waits is sent all the same.
     */
    flush(signal?: AbortSignal): Promise<void>;
    /**
     * Sends what waits, then stops. With a queue on disk it leaves there what it cannot send.
     * @throws MillraceError `unsaved`, stopped all the same, when some of it is not on disk.
     */
    close(): Promise<void>;
}
/** A producer of `topic`. One per topic and page is enough. */
export declare function producer<T, K extends TopicOf<T>>(connection: Connection<T>, topic: K, options?: ProducerOptions): Producer<T[K]>;
/**
 * Appends one record; resolves when it is appended. Calls for one topic share a producer, so that
 * many at a time are few requests.
 */
export declare function produce<T, K extends TopicOf<T>>(connection: Connection<T>, topic: K, value: T[K], options?: SendOptions): Promise<Sent>;
