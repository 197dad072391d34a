/** The statements of publish-effects.ts. */
import { verdict } from "./publish-codes.ts";
import { openCondition } from "./publish-statements.ts";

/** ?3 an element per group. */
export const stageGroups = `INSERT INTO staging_group (group_number, code)
SELECT g.key, ${verdict.appended} FROM json_each(?3) g WHERE ${openCondition}`;

/** ?1 [group, kind, name, leaseEpoch], ?2 workerEpoch. A lease is held by whoever publishes. */
export const judgeLeases = `UPDATE staging_group SET code = ${verdict.guardFailed}
WHERE code = ${verdict.appended} AND group_number IN (
  SELECT g.value ->> 0 FROM json_each(?1) g
  LEFT JOIN lease l ON l.kind = g.value ->> 1 AND l.name = g.value ->> 2
  WHERE l.lease_epoch IS NOT g.value ->> 3 OR l.worker_epoch IS NOT ?2)`;

/** ?1 [group, topicNumber, partition, nextOffset or null]. */
export const judgePartitions = `UPDATE staging_group SET code = v.code
FROM (
  SELECT g.value ->> 0 AS group_number,
    max(CASE WHEN p.next_offset IS NOT NULL THEN ${verdict.guardFailed}
      WHEN EXISTS (SELECT 1 FROM topic t
        WHERE t.topic_number = g.value ->> 1 AND t.state = 'live')
      THEN ${verdict.partitionUnknown} ELSE ${verdict.topicUnknown} END) AS code
  FROM json_each(?1) g
  LEFT JOIN topic_partition p ON p.topic_number = g.value ->> 1 AND p.partition = g.value ->> 2
    AND p.deleted = 0
  WHERE p.next_offset IS NULL OR p.next_offset <> coalesce(g.value ->> 3, p.next_offset)
  GROUP BY 1
) v WHERE v.group_number = staging_group.group_number
  AND staging_group.code = ${verdict.appended}`;

/** ?1 [group, topicNumber, name, epoch, sequence, awaitedSequence or null]. */
export const judgeHttpProducers = `UPDATE staging_group SET
  code = v.code, repeated = v.repeated,
  expected = CASE WHEN v.code = ${verdict.sequenceOutOfOrder} THEN v.expected END
FROM (
  SELECT d.group_number, d.repeated, d.expected,
    CASE WHEN d.last_sequence IS NULL THEN
        CASE WHEN d.expected IS NULL THEN ${verdict.appended}
          ELSE ${verdict.sequenceOutOfOrder} END
      WHEN d.older THEN ${verdict.producerFenced}
      WHEN d.sequence = d.expected THEN ${verdict.appended}
      WHEN d.sequence > d.expected THEN ${verdict.sequenceOutOfOrder}
      WHEN d.repeated IS NOT NULL THEN ${verdict.repeated}
      ELSE ${verdict.sequenceDuplicate} END AS code
  FROM (
    SELECT g.value ->> 0 AS group_number, g.value ->> 4 AS sequence, h.last_sequence,
      h.producer_epoch > g.value ->> 3 AS older,
      CASE WHEN h.producer_epoch IS NULL THEN g.value ->> 5
        WHEN h.producer_epoch < g.value ->> 3 THEN 0 ELSE h.last_sequence + 1 END AS expected,
      CASE WHEN h.producer_epoch = g.value ->> 3 THEN (
        SELECT r.value ->> 1 FROM json_each(h.recent) r
        WHERE r.value ->> 0 = g.value ->> 4) END AS repeated
    FROM json_each(?1) g
    LEFT JOIN http_producer h
      ON h.topic_number = g.value ->> 1 AND h.producer_name = g.value ->> 2
  ) d
) v WHERE v.group_number = staging_group.group_number
  AND staging_group.code = ${verdict.appended}`;

/** A group falls with the first of its entries that does. */
export const failGroups = `UPDATE staging_group SET code = v.code
FROM (
  SELECT group_number, min(entry), code FROM staging
  WHERE code NOT IN (${verdict.appended}, ${verdict.duplicate}) AND group_number IS NOT NULL
  GROUP BY group_number
) v WHERE v.group_number = staging_group.group_number
  AND staging_group.code = ${verdict.appended}`;

export const failEntries = `UPDATE staging SET code = v.code FROM staging_group v
WHERE v.group_number = staging.group_number AND v.code <> ${verdict.appended}
  AND (staging.code IN (${verdict.appended}, ${verdict.duplicate})
    OR v.code = ${verdict.repeated})`;

export const writeHttpProducers = `INSERT INTO http_producer (topic_number, producer_name,
  producer_epoch, last_sequence, recent, updated_at)
SELECT g.value ->> 1, g.value ->> 2, g.value ->> 3, g.value ->> 4,
  (SELECT json_group_array(json(f.request)) FROM (
    SELECT json_array(g.value ->> 4, (
      SELECT json_group_array(json_array(s.partition, CASE s.code
        WHEN ${verdict.appended} THEN s.base_offset ELSE s.duplicate_base END, s.record_count))
      FROM staging s WHERE s.group_number = g.value ->> 0)) AS request
    UNION ALL
    SELECT o.value FROM json_each(h.recent) o
    LIMIT 5) f),
  n.published_at
FROM json_each(?1) g
CROSS JOIN namespace n
CROSS JOIN staging_group v ON v.group_number = g.value ->> 0 AND v.code = ${verdict.appended}
LEFT JOIN http_producer h ON h.topic_number = g.value ->> 1 AND h.producer_name = g.value ->> 2
  AND h.producer_epoch = g.value ->> 3
WHERE true
ON CONFLICT (topic_number, producer_name) DO UPDATE SET
  producer_epoch = excluded.producer_epoch, last_sequence = excluded.last_sequence,
  recent = excluded.recent, updated_at = excluded.updated_at`;

/** ?1 [group, groupId, topicNumber, partition, committedOffset, leaderEpoch, metadata]. */
export const writeGroupOffsets = `INSERT INTO group_offset (group_id, topic_number, partition,
  committed_offset, leader_epoch, metadata, committed_at)
SELECT g.value ->> 1, g.value ->> 2, g.value ->> 3, g.value ->> 4, g.value ->> 5, g.value ->> 6,
  n.published_at
FROM json_each(?1) g
CROSS JOIN namespace n
CROSS JOIN staging_group v ON v.group_number = g.value ->> 0 AND v.code = ${verdict.appended}
WHERE true
ON CONFLICT (group_id, topic_number, partition) DO UPDATE SET
  committed_offset = excluded.committed_offset, leader_epoch = excluded.leader_epoch,
  metadata = excluded.metadata, committed_at = excluded.committed_at`;

/** ?1 [group, topicNumber, watermark, activity]. */
export const writeWatermarks = `INSERT INTO watermark (topic_number, publish_position, published_at,
  watermark, activity)
SELECT g.value ->> 1, n.publish_position, n.published_at, g.value ->> 2, g.value ->> 3
FROM json_each(?1) g
CROSS JOIN namespace n
CROSS JOIN staging_group v ON v.group_number = g.value ->> 0 AND v.code = ${verdict.appended}
WHERE true
ON CONFLICT (topic_number, publish_position) DO UPDATE SET
  watermark = excluded.watermark, activity = excluded.activity`;
