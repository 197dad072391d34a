/**
 * The groups of a publish: which hold, and what they change beside the log. Judging comes before
 * anything is written and leaves a verdict per group in `staging_group`; writing looks only at
 * groups that stand. A new kind of guard or effect adds a statement on either side here.
 */
import { unreachable } from "../base/assert.ts";
import { verdict } from "./publish-codes.ts";
import type { PublishRequest } from "./publish-request.ts";
import { openCondition } from "./publish-statements.ts";
import type { SqlStatement } from "./sql-database.ts";

/** ?3 an element per group. */
const stageGroups = `INSERT INTO staging_group (group_number, code)
SELECT g.key, ${verdict.appended} FROM json_each(?3) g WHERE ${openCondition}`;

/** ?1 [group, kind, name, leaseEpoch], ?2 workerEpoch. A lease is held by whoever publishes. */
const judgeLeases = `UPDATE staging_group SET code = ${verdict.guardFailed}
WHERE code = ${verdict.appended} AND group_number IN (
  SELECT g.value ->> 0 FROM json_each(?1) g
  LEFT JOIN lease l ON l.kind = g.value ->> 1 AND l.name = g.value ->> 2
  WHERE l.lease_epoch IS NOT g.value ->> 3 OR l.worker_epoch IS NOT ?2)`;

/** ?1 [group, topicNumber, partition, nextOffset or null]. */
const judgePartitions = `UPDATE staging_group SET code = v.code
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
const judgeHttpProducers = `UPDATE staging_group SET
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
const failGroups = `UPDATE staging_group SET code = v.code
FROM (
  SELECT group_number, min(entry), code FROM staging
  WHERE code NOT IN (${verdict.appended}, ${verdict.duplicate}) AND group_number IS NOT NULL
  GROUP BY group_number
) v WHERE v.group_number = staging_group.group_number
  AND staging_group.code = ${verdict.appended}`;

const failEntries = `UPDATE staging SET code = v.code FROM staging_group v
WHERE v.group_number = staging.group_number AND v.code <> ${verdict.appended}
  AND (staging.code IN (${verdict.appended}, ${verdict.duplicate})
    OR v.code = ${verdict.repeated})`;

const writeHttpProducers = `INSERT INTO http_producer (topic_number, producer_name,
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
const writeGroupOffsets = `INSERT INTO group_offset (group_id, topic_number, partition,
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
const writeWatermarks = `INSERT INTO watermark (topic_number, publish_position, published_at,
  watermark, activity)
SELECT g.value ->> 1, n.publish_position, n.published_at, g.value ->> 2, g.value ->> 3
FROM json_each(?1) g
CROSS JOIN namespace n
CROSS JOIN staging_group v ON v.group_number = g.value ->> 0 AND v.code = ${verdict.appended}
WHERE true
ON CONFLICT (topic_number, publish_position) DO UPDATE SET
  watermark = excluded.watermark, activity = excluded.activity`;

type JsonRow = readonly (string | number | null)[];

interface FlatGroups {
  readonly leases: JsonRow[];
  readonly partitions: JsonRow[];
  readonly httpProducers: JsonRow[];
  readonly offsets: JsonRow[];
  readonly watermarks: JsonRow[];
}

export interface GroupStatements {
  readonly judge: readonly SqlStatement[];
  readonly write: readonly SqlStatement[];
}

/** The statements that the groups of `request` need; none when it has no groups. */
export function groupStatements(request: PublishRequest): GroupStatements {
  if (request.groups.length === 0) return { judge: [], write: [] };
  const flat = flatten(request);
  const judge: SqlStatement[] = [
    {
      sql: stageGroups,
      args: [request.workerEpoch, request.sequence, JSON.stringify(request.groups.map(() => 0))],
    },
  ];
  const write: SqlStatement[] = [];
  if (flat.leases.length > 0) {
    judge.push({ sql: judgeLeases, args: [JSON.stringify(flat.leases), request.workerEpoch] });
  }
  if (flat.partitions.length > 0) {
    judge.push({ sql: judgePartitions, args: [JSON.stringify(flat.partitions)] });
  }
  if (flat.httpProducers.length > 0) {
    const producers = JSON.stringify(flat.httpProducers);
    judge.push({ sql: judgeHttpProducers, args: [producers] });
    write.push({ sql: writeHttpProducers, args: [producers] });
  }
  if (flat.offsets.length > 0) {
    write.push({ sql: writeGroupOffsets, args: [JSON.stringify(flat.offsets)] });
  }
  if (flat.watermarks.length > 0) {
    write.push({ sql: writeWatermarks, args: [JSON.stringify(flat.watermarks)] });
  }
  judge.push({ sql: failGroups, args: [] }, { sql: failEntries, args: [] });
  return { judge, write };
}

function flatten(request: PublishRequest): FlatGroups {
  const flat: FlatGroups = {
    ...{ leases: [], partitions: [], httpProducers: [], offsets: [], watermarks: [] },
  };
  for (const [number, group] of request.groups.entries()) {
    for (const guard of group.guards) {
      if (guard.kind === "lease") {
        flat.leases.push([number, guard.leaseKind, guard.name, guard.leaseEpoch]);
      } else {
        const { topicNumber, partition, nextOffset } = guard;
        flat.partitions.push([number, topicNumber, partition, nextOffset ?? null]);
      }
    }
    for (const effect of group.effects) {
      switch (effect.kind) {
        case "httpProducer": {
          const { topicNumber, name, epoch, sequence, awaitedSequence = null } = effect;
          flat.httpProducers.push([number, topicNumber, name, epoch, sequence, awaitedSequence]);
          break;
        }
        case "groupOffsets":
          for (const offset of effect.offsets) {
            const { topicNumber, partition } = offset;
            const { committedOffset, leaderEpoch, metadata } = offset;
            // An offset of a partition that is not there would never be read nor removed.
            flat.partitions.push([number, topicNumber, partition, null]);
            flat.offsets.push([
              ...[number, effect.groupId, topicNumber, partition],
              ...[committedOffset, leaderEpoch, metadata],
            ]);
          }
          break;
        case "watermark": {
          const { topicNumber, watermark, activity } = effect;
          // As above: of a topic that is gone it would stay for ever.
          flat.partitions.push([number, topicNumber, 0, null]);
          flat.watermarks.push([number, topicNumber, watermark, activity]);
          break;
        }
        default:
          unreachable(effect);
      }
    }
  }
  return flat;
}
