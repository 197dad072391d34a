/**
 * Reads every partition to its end once the run is quiet, through every worker, and holds the log
 * against the history: all that was acknowledged is there, where it was acknowledged; exactly-once
 * records are there once and in the order of their producer; groups are whole.
 */
import { present } from "../../../src/base/assert.ts";
import type { TopicInfo } from "../../../src/meta/catalog.ts";
import { takeRecords } from "../clients/consumer.ts";
import type { IdempotentProducer } from "../clients/idempotent-producer.ts";
import type { SimulatedWorker } from "../simulated-worker.ts";
import type { World } from "../world.ts";
import type { History } from "./history.ts";

export interface FinalParts {
  readonly world: World;
  readonly history: History;
  readonly workers: readonly SimulatedWorker[];
}

/** A partition as it is in the end. */
export interface FinalPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly logStart: number;
  readonly end: number;
  readonly idByOffset: ReadonlyMap<number, string>;
}

export async function readFinalLog(parts: FinalParts): Promise<readonly FinalPartition[]> {
  const [first] = parts.workers;
  const topics = await present(first?.log, "worker").topics.list();
  const partitions: FinalPartition[] = [];
  for (const topic of topics) {
    for (let partition = 0; partition < topic.partitionCount; partition++) {
      for (const worker of parts.workers) {
        const read = await readPartition(parts, { worker, topic, partition });
        if (read === undefined) return partitions;
        if (worker === first) partitions.push(read);
      }
    }
  }
  return partitions;
}

async function readPartition(
  { world, history }: FinalParts,
  what: { worker: SimulatedWorker; topic: TopicInfo; partition: number },
): Promise<FinalPartition | undefined> {
  const { worker, topic, partition } = what;
  const { topicId } = topic;
  const log = present(worker.log, "worker that serves");
  let logStart = (await log.findOffset(topic, partition, "earliest")).offset;
  const end = (await log.findOffset(topic, partition, "latest")).offset;
  const idByOffset = new Map<number, string>();
  const by = `final reader via ${worker.name}`;
  let offset = logStart;
  while (offset < end) {
    const [item] = await log.fetch({
      partitions: [
        {
          topicId,
          partition,
          fetchOffset: offset,
          partitionBytesMax: 3000,
          currentLeaderEpoch: -1,
        },
      ],
      bytesMin: 1,
      bytesMax: 1_000_000,
      waitMsMax: 0,
    });
    const found = present(item, "answer");
    const records = takeRecords(world, found, offset);
    if (found.error === "offset_out_of_range" && found.logStartOffset > offset) {
      // Retention went on meanwhile; whether it was allowed to is held against the history.
      logStart = found.logStartOffset;
      offset = logStart;
      idByOffset.clear();
      continue;
    }
    if (found.error !== undefined || typeof records === "string" || records.length === 0) {
      const why = found.error ?? (typeof records === "string" ? records : "nothing");
      const name = history.of(topicId, partition).name;
      world.violate(`${by}: ${name} unreadable at ${offset} of ${end}: ${why}`);
      return undefined;
    }
    for (const record of records) {
      history.seen({ topicId, partition, by }, record);
      if (record.id !== undefined) idByOffset.set(record.offset, record.id);
    }
    offset += records.length;
  }
  return { topicId, partition, logStart, end, idByOffset };
}

export function checkFinalLog(
  { world, history }: FinalParts,
  partitions: readonly FinalPartition[],
): void {
  for (const { topicId, partition, logStart, end, idByOffset } of partitions) {
    const known = history.of(topicId, partition);
    if (end < known.end) world.violate(`${known.name} ends at ${end}, known was ${known.end}`);
    if (logStart > history.startMaxOf(topicId, partition)) {
      world.violate(`${known.name} begins at ${logStart}, which nobody asked for`);
    }
    for (const [offset, id] of known.acked) {
      if (offset < logStart) continue;
      const found = idByOffset.get(offset);
      if (found !== id) world.violate(`${known.name} ${offset}: acked ${id}, found ${found}`);
    }
  }
}

/**
 * Records of one producer are in the log in the order sent, without gaps; all, if none was cut. A
 * producer that lived through a cut has gaps where it was.
 */
export function checkOrder(
  { world, history }: FinalParts,
  partitions: readonly FinalPartition[],
  { producer, wasCut }: { readonly producer: IdempotentProducer; readonly wasCut: boolean },
): void {
  const found = partitions.find(
    ({ topicId, partition }) => topicId === producer.topicId && partition === producer.partition,
  );
  if (found === undefined) return;
  const place = new Map(producer.sentIds.map((id, index) => [id, index]));
  let next = -1;
  for (const [offset, id] of found.idByOffset) {
    const index = place.get(id);
    if (index === undefined) continue;
    if (next === -1 && found.logStart === 0) next = 0;
    const mayGap = history.of(found.topicId, found.partition).cuts.length > 0;
    if (next !== -1 && (mayGap ? index < next : index !== next)) {
      world.violate(`${producer.name}: at offset ${offset} is its record ${index}, not ${next}`);
      return;
    }
    next = index + 1;
  }
  if (wasCut || history.of(found.topicId, found.partition).cuts.length > 0) return;
  if (producer.isDone && next !== producer.sentIds.length && found.logStart === 0) {
    const count = producer.sentIds.length;
    world.violate(`${producer.name}: ${next} of its ${count} records are in the log`);
  }
}

export function checkGroups(
  { world, history }: FinalParts,
  partitions: readonly FinalPartition[],
): void {
  for (const group of history.groups) {
    let present = 0;
    let absent = 0;
    for (const { partition, id } of group.records) {
      const found = partitions.find(
        (each) => each.topicId === group.topicId && each.partition === partition,
      );
      // A partition whose beginning is gone proves nothing.
      if (found === undefined || found.logStart > 0) continue;
      if (history.of(group.topicId, partition).offsets.has(id)) present += 1;
      else absent += 1;
    }
    if (present > 0 && absent > 0) {
      const ids = group.records.map(({ id }) => id).join(" ");
      world.violate(`a group is there in part: ${ids}`);
    }
  }
}
