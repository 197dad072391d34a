/** Kafka's numbers for what has configs. Clients know more of them; these are served. */
export const configResources = { topic: 2, broker: 4 } as const;
