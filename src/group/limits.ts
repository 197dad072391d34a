/** Bounds and times of consumer groups, each with its reason. Times in milliseconds. */

/** Kafka's `group.min.session.timeout.ms`: less, and a garbage collection expels members. */
export const sessionTimeoutMsMin = 6_000;
/** Kafka's `group.max.session.timeout.ms`: a dead member holds its partitions for so long. */
export const sessionTimeoutMsMax = 1_800_000;
/** Kafka's `offset.metadata.max.bytes`, counted in characters as Kafka does. */
export const offsetMetadataLengthMax = 4_096;
/** Kafka's `offsets.retention.minutes`: seven days. */
export const offsetRetentionMs = 7 * 24 * 3_600_000;
/**
 * Kafka's `group.initial.rebalance.delay.ms` is 3 000, for fleets that start over minutes; its
 * development brokers set 0, and each consumer of a small fleet then costs a rebalance. This
 * catches consumers that start together and delays a lone one less than it can notice.
 */
export const initialRebalanceDelayMs = 250;
/**
 * How long a join that was parked waits for its rebalance, if its member never joined before: it
 * cannot heartbeat, and we cannot see its client go. Kafka's value.
 */
export const newMemberTimeoutMs = 300_000;
/** Members of one group: every rebalance sends the leader the metadata of all. */
export const groupMembersMax = 2_000;
/** Group ids are keys in the metadata and in every log line. */
export const groupIdLengthMax = 1_024;
/** Groups held in memory by one worker; idle Empty ones are let go first. */
export const groupsLoadedMax = 20_000;
/** Metadata and assignments of one group, which are also its snapshot's size: one metadata row. */
export const groupBytesMax = 16 * 1024 * 1024;
/** Offsets that wait to be written for one group before more are refused with `queue_full`. */
export const queuedOffsetsMax = 65_536;
/** Offsets in one write: what sqld takes without holding others up. */
export const writtenOffsetsMax = 4_096;
/** An Empty group that nobody asked for so long is let go, with its lease. */
export const idleGroupMs = 300_000;
/** Groups opened at once by one request that names many. */
export const openedGroupsMax = 32;
/** Groups that one call of the sweep looks at. */
export const sweepGroupsMax = 100;
/** Groups that ListGroups reads per page from the store. */
export const listPageCount = 1_000;
/** Waking later than this means that we stood still, and heartbeats wait unread in our sockets. */
export const latenessMsMax = 1_000;
