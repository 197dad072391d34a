/** Random publishes, merged and repeated, against the model: every receipt is equal. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { extentsFrom, partitionStates } from "../../../src/meta/log-index.ts";
import { migrate } from "../../../src/meta/migrate.ts";
import { publish } from "../../../src/meta/publish.ts";
import type { PublishRequest } from "../../../src/meta/publish-request.ts";
import type { SqlDatabase } from "../../../src/meta/sql-database.ts";
import { LibsqlConnection } from "../../../src/runtime/node/libsql-connection.ts";
import { newTopic, Publisher, producerRun, type Run } from "../../contract/metadata-fixture.ts";
import { PublishModel } from "./publish-model.ts";

function inMemory(): SqlDatabase {
  const connection = new LibsqlConnection({ path: ":memory:", fsync: false });
  return {
    description: ":memory:",
    batch: async (statements, mode) => connection.batch(statements, mode),
    close: async () => connection.close(),
  };
}

const partitionCount = 3;

/** Sequences stay small and near the wrap, so that repeats, gaps and wraps are met often. */
const producer = fc.record({
  id: fc.integer({ min: 1, max: 2 }),
  epoch: fc.constantFrom(0, 0, 0, 0, 1),
  firstSequence: fc.oneof(
    fc.integer({ min: 0, max: 12 }),
    fc.integer({ min: 2_147_483_642, max: 2_147_483_647 }),
  ),
  counts: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 7 }),
});

const run = fc.record({
  producer: fc.option(producer, { freq: 4, nil: null }),
  count: fc.integer({ min: 1, max: 4 }),
  group: fc.integer({ min: -1, max: 1 }),
  gap: fc.constantFrom(0, 0, 7),
});

const segment = fc.record({
  /** Runs per partition; the last one does not exist. */
  partitions: fc.array(fc.array(run, { maxLength: 3 }), { maxLength: partitionCount + 1 }),
  http: fc.option(
    fc.record({
      epoch: fc.constantFrom(0, 0, 0, 1),
      sequence: fc.integer({ min: 0, max: 9 }),
    }),
    { nil: null },
  ),
});

type Segment = typeof segment extends fc.Arbitrary<infer Value> ? Value : never;

function requestOf(
  worker: Publisher,
  topic: Awaited<ReturnType<typeof newTopic>>,
  { partitions, http }: Segment,
): PublishRequest {
  const runs = partitions.flatMap((ofPartition, partition) => {
    const met = new Set<number>();
    return ofPartition.flatMap(({ producer: wanted, count, group, gap }): Run[] => {
      // At most one run per producer and partition, as the batcher promises.
      if (wanted !== null && met.has(wanted.id)) return [];
      if (wanted === null) return [{ topic, partition, count, group, gap }];
      met.add(wanted.id);
      const total = wanted.counts.reduce((sum, records) => sum + records, 0);
      return [{ topic, partition, count: total, group, gap, producer: producerRun(wanted) }];
    });
  });
  const { topicNumber } = topic;
  const effect = { kind: "httpProducer" as const, topicNumber, name: "p" };
  return worker.request(runs, [
    { guards: [], effects: http === null ? [] : [{ ...effect, ...http }] },
    { guards: [], effects: [] },
  ]);
}

/** Each batch: how many new segments it merges, and which earlier one is sent again before them. */
const step = fc.record({
  segments: fc.array(segment, { minLength: 1, maxLength: 3 }),
  again: fc.option(fc.nat({ max: 20 }), { nil: null }),
});

test("receipts of random publishes equal the model's, and the index is contiguous", async () => {
  const database = inMemory();
  await migrate(database);
  const property = fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
    const topic = await newTopic(database, { partitionCount });
    const model = new PublishModel();
    for (let partition = 0; partition < partitionCount; partition++) {
      model.addPartition(topic.topicNumber, partition);
    }
    const worker = await Publisher.open(database);
    const sent: PublishRequest[] = [];
    for (const { segments, again } of steps) {
      const repeated = again === null ? [] : sent.slice(again, again + 1);
      const requests = [...repeated, ...segments.map((each) => requestOf(worker, topic, each))];
      sent.push(...requests.slice(repeated.length));
      const results = await publish(database, requests);
      for (const [index, request] of requests.entries()) {
        const { entries, groups } = results[index] as never;
        expect({ entries, groups }).toEqual(model.publish(request) as never);
      }
    }
    await checkIndex(database, topic.topicNumber);
  });
  await fc.assert(property, { numRuns: 250, seed: 20_261_123 });
  await database.close();
});

async function checkIndex(database: SqlDatabase, topicNumber: number): Promise<void> {
  for (let partition = 0; partition < partitionCount; partition++) {
    const place = { topicNumber, partition };
    const [state] = await partitionStates(database, [place]);
    const { extents } = await extentsFrom(database, {
      ...{ ...place, offset: 0, limitRows: 1_000, limitBytes: 1e9 },
    });
    let offset = 0;
    let bytes = 0;
    for (const extent of extents) {
      expect(extent.baseOffset).toBe(offset);
      expect(extent.length).toBe((extent.lastOffset - extent.baseOffset + 1) * 10);
      offset = extent.lastOffset + 1;
      bytes += extent.length;
    }
    expect([state?.nextOffset, state?.sizeBytes]).toEqual([offset, bytes]);
  }
}
