/** Bounds of a Kafka connection, each with its reason. */

/** Kafka's socket.request.max.bytes. */
export const requestBytesMaxDefault = 100 * 1024 * 1024;
/** Before authentication nobody needs more; Kafka's sasl.server.max.receive.size. */
export const unauthenticatedRequestBytesMax = 512 * 1024;
/** Requests of one connection that are read and not answered yet. */
export const requestsInFlightMax = 128;
/** Their bytes, per connection: enough for five requests of 8 MiB in flight. */
export const connectionBytesInFlightMax = 48 * 1024 * 1024;
/** A frame above this reserves its bytes when its length is known, smaller ones when complete. */
export const reservedFrameBytesMin = 64 * 1024;
/** So long may a frame that has reserved its bytes take to arrive whole. */
export const frameArrivalMsMax = 60_000;
/** Kafka's connections.max.idle.ms: a connection over which nothing moves for so long is closed. */
export const connectionIdleMsMax = 600_000;
/** Connections at a time; more are closed at once. */
export const connectionsMax = 10_000;
/** What a client is told at most to wait before it sends again. */
export const throttleMsMax = 1_000;
/** Kafka's fetch.max.bytes of a broker. */
export const fetchBytesMax = 55 * 1024 * 1024;
/** What a client is told to wait when there was no room for the records that it asked for. */
export const fetchThrottleMs = 500;
/** Kafka's max.incremental.fetch.session.cache.slots. */
export const fetchSessionsMax = 1_000;
/** Partitions of all fetch sessions together: about 200 bytes each. */
export const fetchSessionPartitionsMax = 500_000;
/**
 * A session unused for so long may be evicted; Kafka's MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS.
 */
export const fetchSessionEvictionMsMin = 120_000;
/** Kafka's max.request.partition.size.limit of DescribeTopicPartitions. */
export const describedPartitionsMax = 2_000;
/** Topics that one Metadata request may create. */
export const autoCreatedTopicsMax = 100;
