/**
 * Kafka's record batch, magic 2 (KIP-98): the unit that producers send, segments hold and readers
 * get, byte for byte. All integers are big-endian.
 *
 * | position | bytes | field                | notes                                               |
 * |---------:|------:|----------------------|-----------------------------------------------------|
 * |        0 |     8 | baseOffset           | set by the log, outside of the CRC                  |
 * |        8 |     4 | batchLength          | bytes that follow this field: whole batch − 12      |
 * |       12 |     4 | partitionLeaderEpoch | set by the log, outside of the CRC                  |
 * |       16 |     1 | magic                | 2                                                   |
 * |       17 |     4 | crc                  | CRC-32C of everything from `attributes` to the end  |
 * |       21 |     2 | attributes           | see below                                           |
 * |       23 |     4 | lastOffsetDelta      | offset of the last record − baseOffset              |
 * |       27 |     8 | baseTimestamp        | timestamp deltas count from here                    |
 * |       35 |     8 | maxTimestamp         | −1 when no record has one                           |
 * |       43 |     8 | producerId           | −1: not idempotent                                  |
 * |       51 |     2 | producerEpoch        |                                                     |
 * |       53 |     4 | baseSequence         | of the first record; wraps at 2^31                  |
 * |       57 |     4 | recordCount          |                                                     |
 * |       61 |     … | records              | compressed as a whole by the codec of `attributes`  |
 *
 * Attributes: bits 0–2 codec (0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd), 3 timestamp type (0
 * CreateTime, 1 LogAppendTime), 4 transactional, 5 control, 6 baseTimestamp is a delete horizon
 * (set by compaction only), 7–15 unused.
 *
 * A record: varint length of what follows, int8 attributes (unused), varlong timestampDelta, varint
 * offsetDelta, varint key length (−1: null) and key, varint value length (−1: null) and value,
 * varint header count, and per header varint key length, UTF-8 key, varint value length (−1: null),
 * value. Varints are zigzag, least significant group first.
 */
export const batchLayout = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const;

/** Bytes of a batch before its records. */
export const batchHeaderBytes = 61;

/** Bytes of `baseOffset` and `batchLength`, which `batchLength` does not count. */
export const batchPrefixBytes = 12;

/** The only record format stored. */
export const batchMagic = 2;

export const attributeBits = {
  codec: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
  unused: 0xff80,
} as const;

/** What a producer that is not idempotent writes as id, epoch and sequence. */
export const noProducerId = -1;
export const noSequence = -1;

/** Kafka's "no timestamp". */
export const noTimestamp = -1;
