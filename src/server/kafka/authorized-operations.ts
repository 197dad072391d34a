/**
 * Sets of operations (KIP-430) as bits by Kafka's operation numbers. Nobody is restricted yet, so
 * whoever asks may do all that there is to do, as at a Kafka broker without an authorizer.
 */
const operations = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
} as const;

type Operation = keyof typeof operations;

/** What stands in answers to those who did not ask. */
export const operationsNotAsked = -0x8000_0000;

function bits(...allowed: Operation[]): number {
  return allowed.reduce((set, operation) => set | (1 << operations[operation]), 0);
}

export const topicOperations = bits(
  "read",
  "write",
  "create",
  "delete",
  "alter",
  "describe",
  "describeConfigs",
  "alterConfigs",
);

export const groupOperations = bits(
  "read",
  "delete",
  "describe",
  "describeConfigs",
  "alterConfigs",
);

export const clusterOperations = bits(
  "create",
  "alter",
  "describe",
  "clusterAction",
  "describeConfigs",
  "alterConfigs",
  "idempotentWrite",
);
