import type { Connection, TopicOf } from "./connection.ts";
import { type ConsumedRecord, type ConsumeOptions, type Gap } from "./consumed-record.ts";
export type GroupRecord<V, K extends string = string> = Omit<ConsumedRecord<V>, "cursor"> & {
    readonly topic: K;
};
export interface GroupOptions<V> extends Pick<ConsumeOptions<V>, "signal" | "parse" | "onOpen" | "onTrouble"> {
    /** Where the group begins where it has committed nothing. Default `earliest`. */
    readonly from?: "earliest" | "latest";
    /** Records of a poll at most: those that come again when the loop dies. Default 500. */
    readonly maxRecords?: number;
    /** How long our partitions wait for the next poll, in milliseconds. Default 30 000. */
    readonly leaseMs?: number;
    /** Records were deleted before they were read. */
    readonly onGap?: (gap: Gap & {
        readonly topic: string;
    }) => void;
}
/**
 * Yields records of `topics` until `signal` aborts, which commits what was taken and leaves the
 * group. A loop that is left otherwise commits nothing of its last poll.
 * @throws MillraceError when it cannot go on: `topic_unknown`, `group_not_empty`, 401, 403.
 */
export declare function consumeGroup<T, K extends TopicOf<T>>(connection: Connection<T>, group: string, topics: readonly K[], options?: GroupOptions<T[K]>): AsyncGenerator<GroupRecord<T[K], K>, void>;
