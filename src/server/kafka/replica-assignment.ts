import { StreamError } from "../../base/stream-error.ts";

/**
 * Checks one partition's assignment to workers as Kafka does. It is otherwise without effect: any
 * worker serves any partition.
 * @throws StreamError `invalid_assignment`.
 */
export function checkAssignedNodes(
  brokerIds: readonly number[],
  nodeIds: ReadonlySet<number>,
): void {
  const refuse = (what: string) =>
    new StreamError("invalid_assignment", `The manual partition assignment includes ${what}.`);
  if (brokerIds.length === 0) throw refuse("an empty replica list");
  const seen = new Set<number>();
  for (const brokerId of brokerIds) {
    if (seen.has(brokerId)) throw refuse(`the broker ${brokerId} more than once`);
    if (!nodeIds.has(brokerId)) {
      throw refuse(`broker ${brokerId}, but no such broker is registered`);
    }
    seen.add(brokerId);
  }
}
