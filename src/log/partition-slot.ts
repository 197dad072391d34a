/**
 * A partition of one incarnation of a topic as one number: the key of every cache below. Topic
 * numbers are never reused, so a topic deleted and made again shares nothing with its predecessor.
 */
export type PartitionSlot = number & { readonly __brand: "PartitionSlot" };

const partitionsMax = 2 ** 20;

export function partitionSlot(topicNumber: number, partition: number): PartitionSlot {
  return (topicNumber * partitionsMax + partition) as PartitionSlot;
}

/** Who waits for it hears of every publish: topic numbers begin with 1. */
export const anyPublish = -1 as PartitionSlot;

export function topicNumberOf(slot: PartitionSlot): number {
  return Math.floor(slot / partitionsMax);
}
