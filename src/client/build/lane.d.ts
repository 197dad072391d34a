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
    /** The batch's fate is known: forget its records, keep the place. */
    settle(batch: number, place: LanePlace): Promise<void>;
    /** The lane is empty and nobody adds to it any more. */
    forget(): Promise<void>;
}
export interface Waiter {
    resolve(sent: Sent): void;
    reject(error: unknown): void;
}
export interface Batch {
    readonly number: number;
    readonly texts: string[];
    readonly waiters: Waiter[];
    readonly bornAt: number;
    bytes: number;
    /** Nothing is added any more. */
    isSealed: boolean;
    /** Sent by a beacon out of turn, as the only batch of a producer of its own. */
    isApart: boolean;
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
    readonly onSettled: (batch: Batch) => void;
}
export declare class Lane {
    #private;
    readonly batches: Batch[];
    constructor(options: LaneOptions);
    get isDurable(): boolean;
    /** Adds a record to the last batch, if it is open and `fits`, or to a new one. */
    add(text: string, waiter: Waiter, fits: (batch: Batch) => boolean): Promise<void> | undefined;
    /** Sends the first batch until its fate is known; returns early only when the lane stops. */
    deliverFirst(): Promise<void>;
    /** The request that a beacon can make of `batch`: no headers, so all stands in the URL. */
    beacon(batch: Batch): {
        readonly path: string;
        readonly body: string;
    };
    forget(): Promise<void>;
}
export declare function newBatch(number: number, bornAt: number): Batch;
