/** Server-sent events as the HTML standard reads them, a chunk's worth at a time. */
export interface ServerEvent {
    /** The last id as of this event; null before the first. */
    readonly id: string | null;
    readonly name: string;
    /** Null: the block brought an id and nothing else. */
    readonly data: string | null;
}
/**
 * Yields what each chunk of `body` completes: the events, perhaps none (a comment: the server is
 * there). Ends when the body ends, whose reading errors are thrown, or `signal` aborts; cancels it
 * when left early.
 */
export declare function readEvents(body: ReadableStream<Uint8Array>, signal?: AbortSignal): AsyncGenerator<readonly ServerEvent[], void>;
