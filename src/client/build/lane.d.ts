import type { ServerLink } from "./connection.ts";
/** Where records went; of one partition they follow each other as they were sent. */
export interface Sent {
    readonly offsets: readonly {
        readonly partition: number;
        readonly baseOffset: number;
        readonly count: number;
    }[];
}
/** Where a lane stands; what a queue on disk keeps of it. */
export interface LanePlace {
    readonly producerId: string;
    readonly producerEpoch: number;
    /** The number of the batch that has sequence 0 of this epoch, less those refused since. */
    readonly base: number;
}
/** What a lane is written to, where it outlives the page. */
export interface LaneStore {
    /** Resolves when the record is on disk. */
    add(batch: number, index: number, text: string): Promise<void>;
    /** The fate of the batch's records below index `end` is known: forget them, keep the place. */
    settle(batch: number, end: number, place: LanePlace): Promise<void>;
    /** The lane is empty and nobody adds to it any more. */
    forget(): Promise<void>;
}
export interface Waiter {
    resolve(sent: Sent): void;
    reject(error: unknown): void;
}
export interface Batch {
    readonly number: number;
    /** Records whose fate is not known. */
    readonly texts: string[];
    /** One for each of them, or none where an earlier page has left them. */
    readonly waiters: Waiter[];
    readonly saves: Promise<void>[];
    /** Who waits for the fate of all of it. */
    readonly ends: Waiter[];
    readonly bornAt: number;
    bytes: number;
    /** The index that the first of `texts` had when the batch was whole. */
    done: number;
    /** Nothing is added any more. */
    isSealed: boolean;
    /** Sent by a beacon out of turn, as the only batch of a producer of its own. */
    apart?: {
        sequence: number;
    };
}
export interface LaneOptions {
    readonly connection: ServerLink;
    readonly topic: string;
    readonly place: LanePlace;
    readonly store?: LaneStore | undefined;
    readonly batches?: readonly Batch[];
    /** How long a batch is tried; with a store for ever. */
    readonly retryForMs: number;
    /** The lane stops for good. */
    readonly signal: AbortSignal;
    readonly onTrouble: (error: unknown) => void;
    /** The fate of so many bytes is known. */
    readonly onSettled: (bytes: number) => void;
}
export declare class Lane {
    #private;
    readonly batches: Batch[];
    constructor(options: LaneOptions);
    get isDurable(): boolean;
    /** Adds a record to the last batch, if it is open and `fits`, or to a new one. */
    add(text: string, waiter: Waiter, fits: (batch: Batch) => boolean): Promise<void> | undefined;
    /** Takes a record back that has not begun to leave; what lies on disk stays. */
    takeBack(waiter: Waiter): void;
    /** Sends the first batch, or its next part, until its fate is known or the lane stops. */
    deliverFirst(): Promise<void>;
    /** The request that a beacon can make of `batch`: no headers, so all stands in the URL. */
    beacon(batch: Batch): {
        readonly path: string;
        readonly body: string;
    };
    forget(): Promise<void>;
}
export declare function newBatch(number: number, bornAt: number, texts?: readonly string[]): Batch;
