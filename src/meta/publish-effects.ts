/**
 * The groups of a publish: which hold, and what they change beside the log. Judging comes before
 * anything is written and leaves a verdict per group in `staging_group`; writing looks only at
 * groups that stand. A new kind of guard or effect adds a statement on either side here.
 */
import { unreachable } from "../base/assert.ts";
import {
  failEntries,
  failGroups,
  judgeHttpProducers,
  judgeLeases,
  judgePartitions,
  stageGroups,
  writeGroupOffsets,
  writeHttpProducers,
  writeWatermarks,
} from "./publish-effect-statements.ts";
import type { PublishRequest } from "./publish-request.ts";
import type { SqlStatement } from "./sql-database.ts";

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
