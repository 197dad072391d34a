/** What producers were told, to be held against what readers find. */
export interface AckedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

export interface FoundRecord {
  readonly offset: number;
  readonly value: string;
}

/** How names of producers begin that know no sequence: what they send again may stand twice. */
export const plainPrefix = "plain";

/**
 * Everything that is wrong with a partition: acknowledged records that are missing or elsewhere,
 * offsets that are not contiguous, values of idempotent producers that stand twice or out of order.
 * A value is `producer:number`; numbers of one producer and partition rise.
 */
export function faultsOf(
  partition: number,
  acked: readonly AckedRecord[],
  found: readonly FoundRecord[],
): string[] {
  const faults: string[] = [];
  const byOffset = new Map(found.map(({ offset, value }) => [offset, value]));
  for (const { offset, value } of acked) {
    const there = byOffset.get(offset);
    if (there !== value) faults.push(`${partition}@${offset}: ${value} acked, found ${there}`);
  }
  found.forEach(({ offset }, index) => {
    if (offset !== index) faults.push(`${partition}: offset ${offset} stands at place ${index}`);
  });
  const last = new Map<string, number>();
  for (const { offset, value } of found) {
    const [producer = "", number = ""] = value.split(":");
    if (producer.startsWith(plainPrefix)) continue;
    const before = last.get(producer) ?? -1;
    if (Number(number) <= before) {
      faults.push(`${partition}@${offset}: ${value} stands after ${producer}:${before}`);
    }
    last.set(producer, Number(number));
  }
  return faults.slice(0, 20);
}
