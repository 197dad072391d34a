import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { StreamError } from "../../../src/base/stream-error.ts";
import { publishTick } from "../../../src/meta/publish-order.ts";
import { missingObject } from "../../../src/store/store-errors.ts";
import {
  type LogStack,
  lentBlocks,
  lentBytes,
  openStack,
  storedStretches,
} from "../../support/log-stack.ts";
import { type CountingTask, queryFixture } from "../../support/query-fixture.ts";
import { until } from "../../support/until.ts";

let stack: LogStack;
let stop: AbortController;
beforeEach(async () => {
  stack = await openStack({ ring: new Uint8Array(8 * 1024 * 1024) });
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await stack.log.close();
});

/** The record that a commit leaves in the checkpoint topic has this key. */
const isCommit = (group: { batches: readonly { topic: { name: string } }[] }) =>
  group.batches.some(({ topic }) => topic.name === "checkpoints");

describe("QueryRunner", () => {
  test("waits for a commit on its way before it goes on from the newest one", async () => {
    const held = Promise.withResolvers<void>();
    let commits = 0;
    const query = await queryFixture(stack, {
      commitIntervalMs: 200,
      log: {
        appendGroup: async (group) => {
          if (isCommit(group) && commits++ === 0) await held.promise;
          return stack.log.appendGroup(group);
        },
      },
      onTask: (task, index) => {
        // The first task dies of its second slice, while its first commit is on its way.
        let slices = 0;
        task.onRequest = ({ kind }) => {
          if (index > 0 || kind !== "publishes" || ++slices < 2) return;
          throw new Error("the thread of a query failed");
        };
      },
    });
    await query.append("a");
    const ended = query.runner.run(stop.signal);
    await until(() => commits === 1);
    await query.append("b");
    await until(() => query.tasks[0]?.isClosed === true);
    // Time enough to start over, if it did not wait.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(query.tasks).toHaveLength(1);
    held.resolve();
    await until(async () => (await query.results()).length >= 2);
    stop.abort();
    expect(await ended).toEqual({ kind: "released" });
    expect(await query.results()).toEqual(["1", "2"]);
  });

  test("leaves no rejection unhandled when a task dies with a commit before it", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", note);
    let died = 0;
    const query = await queryFixture(stack, {
      commitIntervalMs: 0,
      onTask: (task, index) => {
        if (index > 0) return;
        // Both are asked for before either fails.
        task.onRequest = async ({ kind }) => {
          if (kind === "ask") return;
          await new Promise((resolve) => setTimeout(resolve, 20));
          died += 1;
          throw new Error("the thread of a query failed");
        };
      },
    });
    await query.append("a");
    const ended = query.runner.run(stop.signal);
    await until(async () => (await query.results()).length === 1);
    stop.abort();
    await ended;
    process.off("unhandledRejection", note);
    expect([died >= 2, unhandled]).toEqual([true, []]);
  });

  for (const end of ["is stopped", "loses its task"] as const) {
    test(`gives back the blocks that its task reads when it ${end}`, async () => {
      await stack.log.close();
      stack = await openStack(lentBlocks());
      const held = Promise.withResolvers<void>();
      const query = await queryFixture(stack, {
        onTask: (task, index) => {
          task.onRequest = ({ kind }) =>
            index === 0 && kind === "publishes" ? held.promise : undefined;
        },
      });
      for (let count = 0; count < 40; count++) await query.append(`${count}`.padEnd(7_000, "x"));
      const ended = query.runner.run(stop.signal);
      await until(() => lentBytes(stack) > 0);
      if (end === "is stopped") {
        stop.abort();
        // Its last commit waits for what is before the task, which reads on meanwhile.
        expect(lentBytes(stack)).toBeGreaterThan(0);
        held.resolve();
      } else {
        held.reject(new Error("the thread of a query failed"));
        await until(async () => (await query.results()).length === 40);
        stop.abort();
      }
      expect(await ended).toEqual({ kind: "released" });
      expect(lentBytes(stack)).toBe(0);
      expect(await query.results()).toEqual(Array.from({ length: 40 }, (_, at) => `${at + 1}`));
    });
  }

  for (const isLost of [false, true]) {
    test(`asks the index again for an object that its task finds gone${isLost ? ", once" : ""}`, async () => {
      await stack.log.close();
      stack = await openStack(storedStretches());
      const places: number[] = [];
      const query = await queryFixture(stack, {
        onTask: (task, index) => {
          task.readsPlaces = true;
          task.onRequest = (request) => {
            if (request.kind !== "publishes") return;
            const runs = request.publishes.flatMap((publish) => publish.runs);
            places[index] ??= 0;
            places[index] += runs.filter(({ place }) => place !== undefined).length;
            if (index === 0 || isLost) throw missingObject("gone", "a test");
          };
        },
      });
      for (let count = 0; count < 40; count++) await query.append(`${count}`.padEnd(7_000, "x"));
      const ended = query.runner.run(stop.signal);
      if (isLost) {
        expect(await ended).toEqual({
          kind: "failed",
          reason: expect.stringContaining("Cannot read gone"),
        });
      } else {
        await until(async () => (await query.results()).length === 40);
        stop.abort();
        expect(await ended).toEqual({ kind: "released" });
        expect(await query.results()).toEqual(Array.from({ length: 40 }, (_, at) => `${at + 1}`));
      }
      expect(places[0]).toBeGreaterThan(0);
      // The log's own reads tell what is the matter.
      expect(places[1]).toBe(0);
      expect(query.tasks).toHaveLength(2);
    });
  }

  test("does not tick before it is time by the database's clock", async () => {
    let ticks = 0;
    const query = await queryFixture(stack, {
      publishTick: (numbers) => {
        ticks += 1;
        return publishTick(stack.database, numbers);
      },
      onTask: (task) => {
        task.nextTickAt = Date.now() + 60_000;
      },
    });
    const clock = stack.platform.clock as { now: () => number };
    const { now } = clock;
    clock.now = () => now() + 3_600_000;
    const ended = query.runner.run(stop.signal);
    await query.append("a");
    await until(async () => (await query.results()).length === 1);
    await query.append("b");
    await until(async () => (await query.results()).length === 2);
    clock.now = now;
    stop.abort();
    await ended;
    expect(ticks).toBe(0);
  });

  test("ticks though nothing comes after the commit that it starts from", async () => {
    let ticks = 0;
    const query = await queryFixture(stack, {
      publishTick: (numbers) => {
        ticks += 1;
        return publishTick(stack.database, numbers);
      },
      // A window is open that closes by time.
      onTask: (task) => {
        task.nextTickAt = 1;
      },
    });
    const ended = query.runner.run(stop.signal);
    await until(() => ticks > 0);
    stop.abort();
    await ended;
  });

  test("commits nothing while nothing comes", async () => {
    const query = await queryFixture(stack);
    const ended = query.runner.run(stop.signal);
    await query.append("a");
    await until(async () => (await query.results()).length === 1);
    const { requests } = query.lastTask();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(requests.filter(({ kind }) => kind === "commit")).toHaveLength(1);
    stop.abort();
    await ended;
  });

  test("commits a backlog as soon as it is done, and what comes then by the interval", async () => {
    const query = await queryFixture(stack, { commitIntervalMs: 3_600_000 });
    await query.append("a");
    await query.append("b");
    const sql = "UPDATE extent SET published_at = published_at - 7200000";
    await stack.database.batch([{ sql, args: [] }], "write");
    const ended = query.runner.run(stop.signal);
    await until(async () => (await query.results()).length === 2);
    await query.append("c");
    await until(() => publishesOf(query.lastTask()) === 2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const commits = query.lastTask().requests.filter(({ kind }) => kind === "commit");
    expect(commits).toHaveLength(1);
    stop.abort();
    await ended;
    expect(await query.results()).toEqual(["1", "2", "3"]);
  });

  test("of a backlog, gives its task more before the commit is made, and loses nothing", async () => {
    const long = "x".repeat(100_000);
    const more = Promise.withResolvers<void>();
    let commits = 0;
    const query = await queryFixture(stack, {
      commitIntervalMs: 1,
      onTask: (task) => {
        task.onRequest = ({ kind }) => {
          if (kind === "publishes" && commits > 0) more.resolve();
          return kind === "commit" && commits++ === 0 ? more.promise : undefined;
        };
      },
    });
    // As if they had waited for long.
    const { follow } = stack.log;
    stack.log.follow = (topics, start) => {
      const reader = follow.call(stack.log, topics, start);
      const now = reader.databaseNow.bind(reader);
      reader.databaseNow = () => now() + 60_000;
      return reader;
    };
    const count = 120;
    for (let index = 0; index < count; index++) await query.append(`${index} ${long}`);
    const ended = query.runner.run(stop.signal);
    await until(async () => (await query.results()).length === count);
    stop.abort();
    expect(await ended).toEqual({ kind: "released" });
    expect(await query.results()).toEqual(Array.from({ length: count }, (_, at) => `${at + 1}`));
    expect(commits).toBeGreaterThan(1);
  });

  test("commits early when the task has no room for more", async () => {
    const query = await queryFixture(stack, {
      commitIntervalMs: 3_600_000,
      onTask: (task) => {
        task.awaitsCommit = true;
      },
    });
    const ended = query.runner.run(stop.signal);
    await query.append("a");
    await until(async () => (await query.results()).length === 1);
    stop.abort();
    await ended;
  });

  test("keeps its task while the queue is full or the store does not answer", async () => {
    let refusals = 0;
    const query = await queryFixture(stack, {
      log: {
        appendGroup: async (group) => {
          if (refusals++ < 2) throw new StreamError("queue_full", "full");
          if (refusals++ < 5) throw new StreamError("store_unavailable", "away");
          return stack.log.appendGroup(group);
        },
        fetch: async (request, signal) => {
          if (refusals++ % 3 === 0) throw new StreamError("store_unavailable", "away");
          return stack.log.fetch(request, signal);
        },
      },
    });
    const ended = query.runner.run(stop.signal);
    for (const value of ["a", "b", "c"]) await query.append(value);
    await until(async () => (await query.results()).length === 3);
    stop.abort();
    await ended;
    expect(await query.results()).toEqual(["1", "2", "3"]);
    expect([query.tasks.length, query.runner.status.restarts]).toEqual([1, 0]);
  });

  test("is released, and publishes nothing, when its lease is another's", async () => {
    const query = await queryFixture(stack);
    await query.append("a");
    await stack.database.batch(
      [{ sql: "UPDATE lease SET lease_epoch = lease_epoch + 1", args: [] }],
      "write",
    );
    expect(await query.runner.run(stop.signal)).toEqual({ kind: "released" });
    expect(await query.results()).toEqual([]);
  });

  test("fails, and says which offsets, when records are gone that it has not read", async () => {
    const query = await queryFixture(stack);
    for (const value of ["a", "b", "c"]) await query.append(value);
    await stack.log.deleteRecords(query.input, 0, 2);
    expect(await query.runner.run(stop.signal)).toEqual({
      kind: "failed",
      reason: 'Cannot go on reading "in"/0: offsets 0 to 1 are deleted',
    });
  });

  for (const gone of ["in", "out", "checkpoints"]) {
    test(`fails when the topic "${gone}" is deleted under it, made again or not`, async () => {
      const query = await queryFixture(stack);
      const ended = query.runner.run(stop.signal);
      await query.append("a");
      await until(async () => (await query.results()).length === 1);
      const topic = await stack.log.topics.byName(gone);
      if (topic !== undefined) await stack.log.topics.delete(topic.topicId);
      await stack.log.topics.create({
        ...{ name: gone, partitionCount: 1, replicationFactor: -1, config: {} },
      });
      if (gone !== "in") await query.append("b");
      expect(await ended).toMatchObject({
        kind: "failed",
        reason: expect.stringContaining(`"${gone}"`),
      });
    });
  }

  test("makes the topic of late rows again when somebody deletes it", async () => {
    const query = await queryFixture(stack, {
      onTask: (task) => withLateRow(task),
    });
    const ended = query.runner.run(stop.signal);
    await query.append("a");
    await until(async () => (await stack.log.topics.byName("out.late")) !== undefined);
    await until(async () => (await query.results()).length === 1);
    const topic = await stack.log.topics.byName("out.late");
    if (topic !== undefined) await stack.log.topics.delete(topic.topicId);
    await query.append("b");
    await until(async () => (await query.results()).length === 2);
    expect(await stack.log.topics.byName("out.late")).toBeDefined();
    stop.abort();
    expect(await ended).toEqual({ kind: "released" });
  });

  test("an abort while it loads, waits or commits ends it with a last commit", async () => {
    const query = await queryFixture(stack, { commitIntervalMs: 60_000 });
    const ended = query.runner.run(stop.signal);
    await query.append("a");
    await query.append("b");
    await until(() => publishesOf(query.tasks[0]) > 0);
    stop.abort();
    expect(await ended).toEqual({ kind: "released" });
    expect(await query.results()).toEqual(["1", "2"]);
    expect(await query.runner.run(stop.signal)).toEqual({ kind: "released" });
    expect(query.tasks).toHaveLength(1);
  });
});

function publishesOf(task: CountingTask | undefined): number {
  return task?.requests.filter(({ kind }) => kind === "publishes").length ?? 0;
}

/** Each result comes as a late row too. */
function withLateRow(task: CountingTask): void {
  const { send } = task;
  task.send = async (request) => {
    const reply = await send.call(task, request);
    const late = reply.outputs.map((output) => ({ ...output, kind: "late" as const }));
    return { ...reply, outputs: [...reply.outputs, ...late] };
  };
}
