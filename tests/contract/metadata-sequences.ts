/** The contract of idempotent producers: every verdict that a run can meet. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { TopicInfo } from "../../src/meta/catalog.ts";
import { extentsFrom } from "../../src/meta/log-index.ts";
import { allocateProducerIds, expireProducers } from "../../src/meta/producers.ts";
import type { EntryReceipt } from "../../src/meta/publish-request.ts";
import {
  type MetadataUnderTest,
  newTopic,
  type OpenMetadata,
  Publisher,
  producerRun,
} from "./metadata-fixture.ts";

export function sequencesContract(name: string, open: OpenMetadata): void {
  let metadata: MetadataUnderTest;
  let worker: Publisher;
  beforeAll(async () => {
    metadata = await open();
    worker = await Publisher.open(metadata.database);
  });
  afterAll(() => metadata.close());

  /** Publishes one run of producer 7. */
  async function send(
    topic: TopicInfo,
    run: { readonly firstSequence: number; readonly counts: readonly number[]; epoch?: number },
  ): Promise<EntryReceipt> {
    const producer = producerRun({ id: 7, ...run });
    const count = run.counts.reduce((sum, records) => sum + records, 0);
    const receipt = await worker.publish([{ topic, count, producer }]);
    const entry = receipt.entries[0];
    if (entry === undefined) throw new Error("no entry");
    return entry;
  }

  describe(`${name}: sequences`, () => {
    test("an unknown producer may start anywhere, and then goes on at last + 1", async () => {
      const topic = await newTopic(metadata.database);
      expect(await send(topic, { firstSequence: 40, counts: [5] })).toMatchObject({ code: "ok" });
      const next = await send(topic, { firstSequence: 45, counts: [5] });
      expect(next).toMatchObject({ code: "ok", baseOffset: 5 });
    });

    test("a gap is out of order and appends nothing", async () => {
      const topic = await newTopic(metadata.database);
      await send(topic, { firstSequence: 0, counts: [5] });
      const gap = await send(topic, { firstSequence: 6, counts: [5] });
      expect(gap).toMatchObject({ code: "sequence_out_of_order", baseOffset: -1 });
      expect(await send(topic, { firstSequence: 5, counts: [1] })).toMatchObject({ baseOffset: 5 });
    });

    test("a batch sent again gets its first offset back", async () => {
      const topic = await newTopic(metadata.database);
      await send(topic, { firstSequence: 0, counts: [5] });
      await send(topic, { firstSequence: 5, counts: [3] });
      const again = await send(topic, { firstSequence: 0, counts: [5] });
      expect(again).toMatchObject({
        ...{ code: "ok", baseOffset: 0, appendedCount: 0, skippedCount: 5 },
        duplicates: [[4, 0]],
      });
    });

    test("the last five batches are remembered, older ones are duplicates without offset", async () => {
      const topic = await newTopic(metadata.database);
      await send(topic, { firstSequence: 0, counts: [1, 1, 1, 1] });
      await send(topic, { firstSequence: 4, counts: [1] });
      await send(topic, { firstSequence: 5, counts: [1, 1] });
      const old = await send(topic, { firstSequence: 1, counts: [1] });
      expect(old).toMatchObject({ code: "sequence_duplicate", appendedCount: 0 });
      expect(old.duplicates).toEqual([[1, -1]]);
      const edge = await send(topic, { firstSequence: 1, counts: [1, 1, 1] });
      expect(edge).toMatchObject({ code: "ok", baseOffset: 2, appendedCount: 0 });
      expect(edge.duplicates).toEqual([
        [1, -1],
        [2, 2],
        [3, 3],
      ]);
    });

    test("a batch with other bounds than the one remembered is no known duplicate", async () => {
      const topic = await newTopic(metadata.database);
      await send(topic, { firstSequence: 0, counts: [5] });
      const other = await send(topic, { firstSequence: 3, counts: [2] });
      expect(other).toMatchObject({ code: "sequence_duplicate", duplicates: [[4, -1]] });
    });

    test("leading duplicates of a run are skipped and the rest is appended", async () => {
      const topic = await newTopic(metadata.database);
      await send(topic, { firstSequence: 0, counts: [2, 3] });
      const mixed = await send(topic, { firstSequence: 2, counts: [3, 4, 5] });
      expect(mixed).toMatchObject({
        ...{ code: "ok", baseOffset: 5, appendedCount: 9, skippedCount: 3 },
        duplicates: [[4, 2]],
      });
      const { extents } = await extentsFrom(metadata.database, {
        ...{ topicNumber: topic.topicNumber, partition: 0, offset: 5 },
        ...{ limitRows: 10, limitBytes: 1_000 },
      });
      expect(extents).toMatchObject([{ baseOffset: 5, lastOffset: 13, position: 30, length: 90 }]);
      const again = await send(topic, { firstSequence: 2, counts: [3, 4, 5] });
      expect(again.duplicates).toEqual([
        [4, 2],
        [8, 5],
        [13, 9],
      ]);
    });

    test("a batch that straddles the last sequence is out of order", async () => {
      const topic = await newTopic(metadata.database);
      await send(topic, { firstSequence: 0, counts: [5] });
      const straddle = await send(topic, { firstSequence: 3, counts: [4] });
      expect(straddle).toMatchObject({ code: "sequence_out_of_order", duplicates: [] });
      const later = await send(topic, { firstSequence: 0, counts: [5, 5] });
      expect(later).toMatchObject({ code: "ok", baseOffset: 5, appendedCount: 5 });
    });

    test("duplicates before a straddling batch keep their offsets", async () => {
      const topic = await newTopic(metadata.database);
      await send(topic, { firstSequence: 0, counts: [5] });
      await send(topic, { firstSequence: 5, counts: [2] });
      const run = await send(topic, { firstSequence: 0, counts: [5, 4] });
      expect(run).toMatchObject({ code: "sequence_out_of_order", appendedCount: 0 });
      expect(run.duplicates).toEqual([[4, 0]]);
    });

    test("an older epoch is fenced, a newer one starts at 0", async () => {
      const topic = await newTopic(metadata.database);
      await send(topic, { epoch: 3, firstSequence: 0, counts: [5] });
      const older = await send(topic, { epoch: 2, firstSequence: 5, counts: [5] });
      expect(older).toMatchObject({ code: "producer_fenced", appendedCount: 0 });
      const inside = await send(topic, { epoch: 4, firstSequence: 5, counts: [5] });
      expect(inside).toMatchObject({ code: "sequence_out_of_order" });
      const newer = await send(topic, { epoch: 4, firstSequence: 0, counts: [5] });
      expect(newer).toMatchObject({ code: "ok", baseOffset: 5 });
      const repeated = await send(topic, { epoch: 4, firstSequence: 0, counts: [5] });
      expect(repeated).toMatchObject({ code: "ok", baseOffset: 5, appendedCount: 0 });
    });

    test("sequences wrap after 2147483647, also inside a run", async () => {
      const topic = await newTopic(metadata.database);
      await send(topic, { firstSequence: 2_147_483_645, counts: [3] });
      const wrapped = await send(topic, { firstSequence: 0, counts: [2] });
      expect(wrapped).toMatchObject({ code: "ok", baseOffset: 3 });
      const duplicate = await send(topic, { firstSequence: 2_147_483_645, counts: [3] });
      expect(duplicate).toMatchObject({ code: "ok", baseOffset: 0, appendedCount: 0 });

      const other = await newTopic(metadata.database);
      await send(other, { firstSequence: 2_147_483_640, counts: [5] });
      const across = await send(other, { firstSequence: 2_147_483_640, counts: [5, 4, 2] });
      expect(across).toMatchObject({ code: "ok", baseOffset: 5, appendedCount: 6 });
      const last = await send(other, { firstSequence: 2_147_483_645, counts: [4, 2] });
      expect(last.duplicates).toEqual([
        [0, 5],
        [2, 9],
      ]);
    });

    test("producers of one segment are judged apart, per partition", async () => {
      const topic = await newTopic(metadata.database, { partitionCount: 2 });
      const first = (id: number) => producerRun({ id, firstSequence: 0, counts: [2] });
      await worker.publish([{ topic, count: 2, producer: first(1) }]);
      const receipt = await worker.publish([
        { topic, count: 2, producer: first(1) },
        { topic, count: 2, producer: first(2) },
        { topic, partition: 1, count: 2, producer: first(1) },
      ]);
      expect(receipt.entries.map((entry) => [entry.appendedCount, entry.baseOffset])).toEqual([
        [0, 0],
        [2, 2],
        [2, 0],
      ]);
    });

    test("an expired producer may start anywhere", async () => {
      const topic = await newTopic(metadata.database);
      await send(topic, { firstSequence: 0, counts: [5] });
      await expireProducers(metadata.database, { idleMs: -60_000, limitRows: 10_000 });
      const later = await send(topic, { firstSequence: 90, counts: [1] });
      expect(later).toMatchObject({ code: "ok", baseOffset: 5 });
    });

    test("producer ids are given out once", async () => {
      const first = await allocateProducerIds(metadata.database, 100);
      expect(await allocateProducerIds(metadata.database, 1)).toBeGreaterThanOrEqual(first + 100);
    });
  });
}
