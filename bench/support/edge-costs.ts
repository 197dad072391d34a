/**
 * What Cloudflare asks for operations, in dollars, beyond what its plan includes: the paid plan's
 * list of November 2026 (developers.cloudflare.com: workers, durable-objects and r2, each /pricing).
 */
const perMillion = {
  request: 0.3,
  cpuMs: 0.02,
  objectRequest: 0.15,
  gigabyteSecond: 12.5,
  classA: 4.5,
} as const;

/** An object is billed for all that it may take, as long as it is awake. */
const objectGigabytes = 0.128;

/** What was counted while events were appended. */
export interface EdgeOperations {
  /** To the Worker; to its object at most as many. */
  readonly requests: number;
  /** For which one object was awake. */
  readonly seconds: number;
  /** Of workerd, with its simulators: more than Cloudflare would bill. */
  readonly cpuSeconds: number;
  /** Objects put into R2. */
  readonly puts: number;
  /** To the database, which is not in the sum. */
  readonly metadata: number;
}

/** Dollars for a million events, when these operations were for `events`. */
export function dollarsPerMillion(operations: EdgeOperations, events: number): number {
  const { requests, seconds, cpuSeconds, puts } = operations;
  const sum =
    requests * (perMillion.request + perMillion.objectRequest) +
    (Number.isNaN(cpuSeconds) ? 0 : cpuSeconds * 1000 * perMillion.cpuMs) +
    seconds * objectGigabytes * perMillion.gigabyteSecond +
    puts * perMillion.classA;
  return sum / events;
}
