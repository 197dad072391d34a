/**
 * What LogService and TopicService promise the servers, whatever they are made of. The log itself
 * keeps it, and so does the one in memory on which the servers are tried.
 */
import { describe, expect, test } from "bun:test";
import { present } from "../../src/base/assert.ts";
import type { Platform } from "../../src/base/platform.ts";
import type {
  AppendBatch,
  FetchPartition,
  LogService,
  TopicService,
} from "../../src/log/log-types.ts";
import type { TopicInfo } from "../../src/meta/catalog.ts";
import type { TopicId } from "../../src/record/types.ts";
import { type BatchOptions, batchOf } from "../support/log-stack.ts";
import { readBack } from "../support/read-back.ts";
import { codeOf } from "./metadata-fixture.ts";

export interface LogSubject {
  readonly log: LogService;
  readonly topics: TopicService;
  readonly platform: Platform;
  close(): Promise<void>;
}

export interface LogSubjectOptions {
  readonly autoCreate: boolean;
}

type Send = (values: readonly string[], options?: BatchOptions) => AppendBatch;

const noTopic = "AAAAAAAAAAAAAAAAAAAAAQ" as TopicId;

export function logServiceContract(
  name: string,
  open: (options: LogSubjectOptions) => Promise<LogSubject>,
): void {
  const check = (
    fact: string,
    run: (subject: LogSubject) => Promise<void>,
    options: LogSubjectOptions = { autoCreate: false },
  ) =>
    test(fact, async () => {
      const subject = await open(options);
      try {
        await run(subject);
      } finally {
        await subject.close();
      }
    });
  /** With a topic of two partitions. */
  const checkTopic = (
    fact: string,
    run: (subject: LogSubject & { topic: TopicInfo; batch: Send }) => Promise<void>,
  ) =>
    check(fact, async (subject) => {
      const topic = await subject.topics.create(wanted("orders", { partitionCount: 2 }));
      const batch: Send = (values, options) => batchOf(subject, topic, values, options);
      await run({ ...subject, topic, batch });
    });

  describe(`${name}: topics`, () => topicChecks(check));
  describe(`${name}: appends`, () => appendChecks(checkTopic));
  describe(`${name}: fetches`, () => fetchChecks(checkTopic));
  describe(`${name}: offsets`, () => offsetChecks(checkTopic));
}

function wanted(name: string, more: { partitionCount?: number; replicationFactor?: number } = {}) {
  return { name, partitionCount: -1, replicationFactor: -1, config: {}, ...more };
}

type Check = (
  fact: string,
  run: (subject: LogSubject) => Promise<void>,
  options?: LogSubjectOptions,
) => void;

type CheckTopic = (
  fact: string,
  run: (subject: LogSubject & { topic: TopicInfo; batch: Send }) => Promise<void>,
) => void;

function topicChecks(check: Check): void {
  check("are found by name, by id and in the list, by name", async ({ topics }) => {
    const config = { "retention.ms": "1000" };
    const b = await topics.create({ ...wanted("b", { partitionCount: 3 }), config });
    const a = await topics.create(wanted("a"));
    expect(b).toMatchObject({ name: "b", partitionCount: 3, replicationFactor: 1, config });
    expect(a.topicNumber).not.toBe(b.topicNumber);
    expect(await topics.byName("b")).toMatchObject({ topicId: b.topicId, config });
    expect(await topics.byId(a.topicId)).toMatchObject({ name: "a" });
    expect((await topics.list()).map(({ name }) => name as string)).toEqual(["a", "b"]);
    expect([await topics.byName("c"), await topics.byId(noTopic)]).toEqual([undefined, undefined]);
  });

  check("that cannot be are refused, by checkCreate too, which makes none", async ({ topics }) => {
    await topics.create(wanted("a.b"));
    const refused = [
      [wanted("a.b"), "topic_exists"],
      [wanted("a_b"), "invalid_topic_name"],
      [wanted("a b"), "invalid_topic_name"],
      [wanted("c", { partitionCount: 0 }), "invalid_partition_count"],
      [wanted("c", { replicationFactor: 0 }), "invalid_replication_factor"],
    ] as const;
    for (const [request, code] of refused) {
      expect(await codeOf(topics.create(request))).toBe(code);
      expect(await codeOf(topics.checkCreate(request))).toBe(code);
    }
    expect(await topics.checkCreate(wanted("c"))).toMatchObject({ name: "c", partitionCount: 1 });
    expect(await topics.list()).toHaveLength(1);
  });

  check("are altered, grow, never shrink, and are deleted once", async ({ topics, log }) => {
    const { topicId } = await topics.create({ ...wanted("a"), config: { "retention.ms": "1" } });
    const changes = { "retention.ms": null, "max.message.bytes": "5000" };
    const altered = await topics.alterConfig(topicId, changes);
    expect(altered.config).toEqual({ "max.message.bytes": "5000" });
    const grown = await topics.addPartitions(topicId, 2);
    expect(grown.partitionCount).toBe(2);
    expect(await topics.withPartition({ ...grown, partitionCount: 1 }, 1)).toEqual(grown);
    for (const count of [1, 2]) {
      expect(await codeOf(topics.addPartitions(topicId, count))).toBe("invalid_partition_count");
    }
    await topics.delete(topicId);
    expect(await topics.byId(topicId)).toBeUndefined();
    expect(await log.status([{ topic: grown, partition: 0 }])).toEqual([undefined]);
    for (const gone of [topics.delete(topicId), topics.addPartitions(topicId, 9)]) {
      expect(await codeOf(gone)).toBe("topic_unknown");
    }
    const again = await topics.create(wanted("a"));
    expect(again.topicId).not.toBe(topicId);
  });

  check(
    "are made by being asked for where that is wanted",
    async ({ topics }) => {
      expect((await topics.autoCreate("a"))?.partitionCount).toBe(1);
      expect((await topics.list()).map(({ name }) => name as string)).toEqual(["a"]);
    },
    { autoCreate: true },
  );

  check("are not made by being asked for where that is not wanted", async ({ topics }) => {
    expect(await topics.autoCreate("a")).toBeUndefined();
    expect(await topics.list()).toEqual([]);
  });
}

function appendChecks(checkTopic: CheckTopic): void {
  checkTopic(
    "have contiguous offsets in each partition",
    async ({ log, platform, topic, batch }) => {
      const first = await log.append(batch(["a", "b"]));
      const other = await log.append(batch(["x"], { partition: 1 }));
      const second = await log.append(batch(["c"]));
      expect(first).toEqual({
        ...{ baseOffset: 0, duplicate: false, logAppendTime: -1 },
        ...{ logStartOffset: 0, leaderEpoch: 0 },
      });
      expect([other.baseOffset, second.baseOffset]).toEqual([0, 2]);
      const read = await readBack({ log, platform }, topic);
      expect(read.map(({ value }) => value)).toEqual(["a", "b", "c"]);
    },
  );

  checkTopic("to what is not there are refused", async ({ log, topics, topic, batch }) => {
    expect(await codeOf(log.append(batch(["a"], { partition: 2 })))).toBe("partition_unknown");
    await topics.delete(topic.topicId);
    expect(await codeOf(log.append(batch(["a"])))).toBe("topic_unknown");
  });

  checkTopic("of an idempotent producer are taken once, in order", async ({ log, batch }) => {
    const send = async (sequence: number, values: readonly string[], epoch = 0) => {
      const producer = { id: 7, epoch, sequence };
      const sent = log.append(batch(values, { producer }));
      const code = await codeOf(sent);
      if (code !== "fulfilled") return code;
      const { baseOffset, duplicate } = await sent;
      return duplicate ? `again at ${baseOffset}` : baseOffset;
    };
    expect(await send(0, ["a", "b"])).toBe(0);
    expect(await send(2, ["c"])).toBe(2);
    expect(await send(0, ["a", "b"])).toBe("again at 0");
    expect(await send(4, ["e"])).toBe("sequence_out_of_order");
    for (let sequence = 3; sequence < 8; sequence++) {
      expect(await send(sequence, ["x"])).toBe(sequence);
    }
    expect(await send(0, ["a", "b"])).toBe("sequence_duplicate");
    expect(await send(3, ["x"], 1)).toBe("sequence_out_of_order");
    expect(await send(0, ["y"], 1)).toBe(8);
    expect(await send(8, ["z"], 0)).toBe("producer_fenced");
  });

  checkTopic("of an unknown producer may start anywhere", async ({ log, batch }) => {
    const { baseOffset } = await log.append(batch(["a"], { producer: { id: 1, sequence: 41 } }));
    expect(baseOffset).toBe(0);
  });

  checkTopic("of a group are there once, also when it is repeated", async (subject) => {
    const { log, topic, batch, platform } = subject;
    const send = (sequence: number, epoch = 0) =>
      log.appendGroup({
        batches: [batch(["a", "b"]), batch(["c"], { partition: 1 })],
        guards: [],
        effects: [
          {
            ...{ kind: "httpProducer", topicNumber: topic.topicNumber },
            ...{ name: "till", epoch, sequence },
          },
        ],
      });
    const { appended, repeated } = await send(0);
    expect([appended.map(({ baseOffset }) => baseOffset), repeated]).toEqual([[0, 0], null]);
    expect(await send(0)).toEqual({
      appended: [],
      repeated: [
        { partition: 0, baseOffset: 0, count: 2 },
        { partition: 1, baseOffset: 0, count: 1 },
      ],
    });
    const gap = await send(2).catch((error: unknown) => error);
    expect(gap).toMatchObject({ code: "sequence_out_of_order", details: { expectedSequence: 1 } });
    expect((await send(0, 1)).appended.map(({ baseOffset }) => baseOffset)).toEqual([2, 1]);
    expect(await codeOf(send(1, 0))).toBe("producer_fenced");
    expect(await readBack({ log, platform }, topic)).toHaveLength(4);
  });

  checkTopic("of a group with effects are all refused when one is", async (subject) => {
    const { log, topic, batch, platform } = subject;
    const producer = { name: "till", epoch: 0, sequence: 0 };
    const sent = log.appendGroup({
      batches: [batch(["a"]), batch(["b"], { partition: 9 })],
      guards: [],
      effects: [{ kind: "httpProducer", topicNumber: topic.topicNumber, ...producer }],
    });
    expect(await codeOf(sent)).toBe("partition_unknown");
    expect(await readBack({ log, platform }, topic)).toEqual([]);
  });
}

function fetchChecks(checkTopic: CheckTopic): void {
  const ask = (
    topic: Pick<TopicInfo, "topicId">,
    fetchOffset: number,
    more: Partial<FetchPartition> & { waitMsMax?: number; bytesMin?: number } = {},
  ) => {
    const { waitMsMax = 0, bytesMin = 1, ...place } = more;
    const common = { partition: 0, partitionBytesMax: 1_000, currentLeaderEpoch: -1 };
    return {
      partitions: [{ topicId: topic.topicId, fetchOffset, ...common, ...place }],
      ...{ bytesMin, bytesMax: 1_000, waitMsMax },
    };
  };

  checkTopic("say where each partition ends and what is wrong with it", async (subject) => {
    const { log, topic, batch } = subject;
    await log.append(batch(["a", "b", "c"]));
    await log.deleteRecords(topic, 0, 1);
    const ends = { highOffset: 3, lastStableOffset: 3, logStartOffset: 1 };
    const asked = [1, 3, 0, 4, -1].map((offset) => log.fetch(ask(topic, offset)));
    const answers = (await Promise.all(asked)).map(([each]) => present(each, "partition"));
    const wrong = "offset_out_of_range";
    expect(answers.map(({ error }) => error)).toEqual([undefined, undefined, wrong, wrong, wrong]);
    for (const answer of answers) expect(answer).toMatchObject(ends);
    expect(answers.map(({ bytes }) => bytes > 0)).toEqual([true, false, false, false, false]);
    const unknown = await log.fetch(ask({ topicId: noTopic }, 0));
    expect(unknown).toMatchObject([{ error: "topic_id_unknown", chunks: [], bytes: 0 }]);
    const far = await log.fetch(ask(topic, 0, { partition: 2 }));
    expect(far).toMatchObject([{ error: "partition_unknown", chunks: [], bytes: 0 }]);
  });

  checkTopic("give a whole batch even where it is too large", async ({ log, topic, batch }) => {
    await log.append(batch(["a"], { valueBytes: 3_000 }));
    await log.append(batch(["b"], { valueBytes: 3_000 }));
    const [first] = await log.fetch(ask(topic, 0, { partitionBytesMax: 1 }));
    expect(first?.bytes).toBeGreaterThan(3_000);
    expect(first?.bytes).toBeLessThan(6_000);
  });

  checkTopic("wait for what is appended, and end with their signal", async (subject) => {
    const { log, topic, batch } = subject;
    const waiting = log.fetch(ask(topic, 0, { waitMsMax: 60_000 }));
    await log.append(batch(["late"]));
    expect(await waiting).toMatchObject([{ highOffset: 1 }]);
    const stop = new AbortController();
    const stopped = log.fetch(ask(topic, 1, { waitMsMax: 60_000 }), stop.signal);
    stop.abort();
    expect(await stopped).toMatchObject([{ highOffset: 1, bytes: 0 }]);
  });

  checkTopic("that wait hear that their topic went", async ({ log, topics, topic }) => {
    const waiting = log.fetch(ask(topic, 0, { waitMsMax: 60_000 }));
    await topics.delete(topic.topicId);
    expect(await waiting).toMatchObject([{ error: "topic_id_unknown" }]);
  });
}

function offsetChecks(checkTopic: CheckTopic): void {
  checkTopic("are found by time", async ({ log, topic, batch }) => {
    await log.append(batch(["a", "b"], { timestamp: 100 }));
    await log.append(batch(["c", "d"], { timestamp: 500 }));
    await log.append(batch(["e"], { timestamp: 300 }));
    const at = (timestamp: number) => log.findOffset(topic, 0, { timestamp });
    expect(await at(101)).toEqual({ offset: 1, timestamp: 101, leaderEpoch: 0 });
    expect(await at(102)).toEqual({ offset: 2, timestamp: 500, leaderEpoch: 0 });
    expect(await at(502)).toEqual({ offset: -1, timestamp: -1, leaderEpoch: -1 });
    const greatest = await log.findOffset(topic, 0, "maxTimestamp");
    expect(greatest).toEqual({ offset: 3, timestamp: 501, leaderEpoch: 0 });
  });

  checkTopic("have a start and an end, and the start moves on", async ({ log, topic, batch }) => {
    await log.append(batch(["a", "b", "c"]));
    const start = () => log.findOffset(topic, 0, "earliest");
    expect(await log.findOffset(topic, 0, "latest")).toMatchObject({ offset: 3, timestamp: -1 });
    expect(await log.deleteRecords(topic, 0, 2)).toBe(2);
    expect(await log.deleteRecords(topic, 0, 1)).toBe(2);
    expect((await start()).offset).toBe(2);
    expect(await codeOf(log.deleteRecords(topic, 0, 4))).toBe("offset_out_of_range");
    expect(await log.deleteRecords(topic, 0, -1)).toBe(3);
    expect((await start()).offset).toBe(3);
    expect((await log.append(batch(["d"]))).baseOffset).toBe(3);
  });

  checkTopic("and what is known of a partition", async ({ log, topic, batch }) => {
    const sent = batch(["a"]);
    await log.append(sent);
    const [first, second, none] = await log.status(
      [0, 1, 2].map((partition) => ({ topic, partition })),
    );
    const sizeBytes = sent.bytes.length;
    expect(first).toEqual({ logStartOffset: 0, highOffset: 1, leaderEpoch: 0, sizeBytes });
    expect(second).toEqual({ logStartOffset: 0, highOffset: 0, leaderEpoch: 0, sizeBytes: 0 });
    expect(none).toBeUndefined();
    const epochs = await log.leaderEpochs([0, 2].map((partition) => ({ topic, partition })));
    expect(epochs).toEqual([0, undefined]);
    expect(await log.epochEnd(topic, 0, 0)).toEqual({ leaderEpoch: 0, endOffset: 1 });
    expect(await log.epochEnd(topic, 0, -1)).toEqual({ leaderEpoch: -1, endOffset: -1 });
  });

  checkTopic("of a partition that is not there are refused", async ({ log, topic }) => {
    for (const act of [log.findOffset(topic, 2, "latest"), log.deleteRecords(topic, 2, 0)]) {
      expect(await codeOf(act)).toBe("partition_unknown");
    }
    expect(await log.epochEnd(topic, 2, 0)).toEqual({ leaderEpoch: -1, endOffset: -1 });
  });
}
