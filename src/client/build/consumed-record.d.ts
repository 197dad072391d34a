/** What `consume` gives and takes, over whatever it reads. */
import type { MillraceError } from "./millrace-error.ts";
export interface ConsumedRecord<V> {
    readonly partition: number;
    readonly offset: number;
    /** Milliseconds since 1970; -1 for none. */
    readonly timestamp: number;
    /** Bytes where it is not UTF-8. */
    readonly key: string | Uint8Array | null;
    /** What its JSON says; other text as it reads; bytes that are not UTF-8 as they are. */
    readonly value: V;
    readonly headers: readonly {
        readonly key: string;
        readonly value?: string | null;
        readonly valueBase64?: string;
    }[];
    /** Given to `consume` later, here or elsewhere, it goes on right behind this record. */
    readonly cursor: string;
}
/** Records that are gone: retention deleted them before they were read. */
export interface Gap {
    readonly partition: number;
    readonly from: number;
    readonly to: number;
}
/** An offset is one of each partition, a time in milliseconds since 1970. */
export type ConsumeFrom = "latest" | "earliest" | number | {
    readonly timestamp: number;
};
export interface ConsumeOptions<V> {
    /** Where to begin. Default `latest`. */
    readonly from?: ConsumeFrom;
    /** Of a record that was read before; goes before `from`. */
    readonly cursor?: string;
    /** Ends the iteration, without an error. */
    readonly signal?: AbortSignal;
    /**
     * `events`: server-sent events. `poll`: requests that wait. `websocket`: with credit, so that a
     * slow loop holds a few hundred records at most. `auto` (default): events, and polls where
     * something on the way keeps the events back.
     */
    readonly transport?: "auto" | "events" | "poll" | "websocket";
    /** Makes a value of its text, for numbers beyond 2^53; default: JSON, else the text. */
    readonly parse?: (text: string) => V;
    /** Records were deleted before they were read; the iteration goes on behind them. */
    readonly onGap?: (gap: Gap) => void;
    /** Events come, for the first time or again. */
    readonly onOpen?: () => void;
    /** The connection broke and will be made again. */
    readonly onTrouble?: (error: MillraceError) => void;
    /** Silence after which a connection counts as broken, in milliseconds. Default 40 000. */
    readonly silenceMs?: number;
}
/** A record as the server writes it. */
export interface RecordJson {
    readonly partition: number;
    readonly offset: number;
    readonly timestamp: number;
    readonly key?: string | null;
    readonly keyBase64?: string;
    readonly value?: unknown;
    readonly valueText?: string;
    readonly valueBase64?: string;
    readonly headers: ConsumedRecord<unknown>["headers"];
}
export declare function offsetText(from?: ConsumeFrom): string;
/** `values=json` was asked for where there is no `parse`. */
export declare function recordOf<V>(json: RecordJson, cursor: string, parse?: (text: string) => V): ConsumedRecord<V>;
