/**
 * Follows a topic: records of all its partitions as an async iterator that goes on where it was
 * when the connection breaks, the server restarts or another one answers.
 */
import type { Connection, TopicOf } from "./connection.ts";
import { type ConsumedRecord, type ConsumeOptions } from "./consumed-record.ts";
/**
 * Yields records as they come, of each partition in order, none lost and none twice.
 * @throws MillraceError when it cannot go on: `topic_unknown`, `topic_recreated`, 401, 403.
 */
export declare function consume<T, K extends TopicOf<T>>(connection: Connection<T>, topic: K, options?: ConsumeOptions<T[K]>): AsyncGenerator<ConsumedRecord<T[K]>, void>;
