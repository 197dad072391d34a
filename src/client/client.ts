/** The entry `millrace/client`: to produce and to consume. */
// biome-ignore-all lint/performance/noBarrelFile: what a package exports stands in one file.
export type { BackoffOptions } from "./backoff.ts";
export type { Connection, ConnectOptions, Fetcher } from "./connection.ts";
export { connect } from "./connection.ts";
export { consume } from "./consume.ts";
export type { GroupOptions, GroupRecord } from "./consume-group.ts";
export { consumeGroup } from "./consume-group.ts";
export type { ConsumedRecord, ConsumeFrom, ConsumeOptions, Gap } from "./consumed-record.ts";
export { indexedDbQueue } from "./indexed-db-queue.ts";
export type { Sent } from "./lane.ts";
export { MillraceError } from "./millrace-error.ts";
export type { ProducerOptions, ProducerQueue, SendOptions } from "./producer.ts";
export { Producer, produce, producer } from "./producer.ts";
export type { RecordFields } from "./record-text.ts";
