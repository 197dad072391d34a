import { afterEach, describe, expect, test } from "bun:test";
import type { LocalTask } from "../../../src/pipeline/local-task.ts";
import type { RowsChunk } from "../../../src/pipeline/sql-result.ts";
import { parseScript } from "../../../src/sql/syntax/parse-script.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import type { ObjectLocation } from "../../../src/store/object-store.ts";
import { lentBlocks, lentBytes, storedStretches } from "../../support/log-stack.ts";
import { ReadingTask } from "../../support/reading-task.ts";
import { SqlStack } from "../../support/sql-stack.ts";

let sql: SqlStack;
afterEach(() => sql.close());

const bids = "CREATE STREAM bids (auction BIGINT) WITH ('partitions' = '1')";

async function started(text: string, signal: AbortSignal): Promise<AsyncIterator<RowsChunk>> {
  const [parsed] = parseScript(text);
  if (parsed === undefined) throw new Error("a statement");
  const result = await sql.service.execute(parsed, sql.session, signal);
  if (result.kind !== "rows") throw new Error(`rows, not ${result.kind}`);
  return result.rows[Symbol.asyncIterator]();
}

/** A store whose reads come with one bit of some object wrong. */
class DamagedStore extends MemoryStore {
  damaged: string | null = null;

  override async readInto(location: ObjectLocation, targets: readonly Uint8Array[]) {
    await super.readInto(location, targets);
    const [target] = targets;
    if (location.key !== this.damaged || target === undefined) return;
    target[3_000] = (target[3_000] ?? 0) ^ 1;
  }
}

/** Forty words of 7 KB, each a segment, most of which only the store has. */
async function words(parts: Parameters<typeof SqlStack.open>[0]): Promise<void> {
  sql = await SqlStack.open({ ...storedStretches(), ...parts });
  await sql.run("CREATE STREAM words (word STRING) WITH ('partitions' = '1')");
  for (let count = 0; count < 40; count++) {
    await sql.append("words", [{ word: `${count}`.padEnd(7_000, "x") }]);
  }
}

describe("BoundedQueries whose task reads by itself", () => {
  /** As `words`, with a task of each query that is given places; gives those tasks. */
  async function readingTasks(parts: Parameters<typeof SqlStack.open>[0] = {}) {
    await words(parts);
    const tasks: ReadingTask[] = [];
    sql.wrapTask = (task) => {
      const reading = new ReadingTask(task as LocalTask, sql.stack);
      tasks.push(reading);
      return reading;
    };
    return tasks;
  }

  test("give the rows of tail and store in order, and how far they are", async () => {
    const tasks = await readingTasks();
    const rows = (await sql.run("SELECT TRIM(TRAILING 'x' FROM word) AS w FROM words"))[0];
    expect(rows).toEqual(Array.from({ length: 40 }, (_, count) => ({ w: `${count}` })));
    expect(tasks[0]?.placeCount).toBeGreaterThan(10);
    expect(lentBytes(sql.stack)).toBe(0);
    const reading = await started("SELECT word FROM words", new AbortController().signal);
    const first = (await reading.next()).value as RowsChunk;
    expect(first.progress).toMatchObject({ recordsRead: 40 });
    expect(first.progress?.bytesRead).toBe(first.progress?.bytesTotal ?? 0);
    await reading.return?.();
  });

  test("stop at a LIMIT, and tell damage with object and position", async () => {
    const store = new DamagedStore();
    await readingTasks({ store });
    expect(await sql.run("SELECT word FROM words LIMIT 3")).toMatchObject([{ length: 3 }]);
    const objects: string[] = [];
    for await (const { key } of store.list("segments/")) objects.push(key);
    store.damaged = objects.toSorted()[2] ?? null;
    await expect(sql.run("SELECT COUNT(*) AS n FROM words")).rejects.toMatchObject({
      code: "corrupt_segment",
      message: expect.stringContaining(`Cannot read ${store.damaged} at `),
    });
  });
});

describe("BoundedQueries over stored stretches", () => {
  test("give the rows of tail and store in order, and everything back", async () => {
    await words({});
    const rows = (await sql.run("SELECT TRIM(TRAILING 'x' FROM word) AS w FROM words"))[0];
    expect(rows).toEqual(Array.from({ length: 40 }, (_, count) => ({ w: `${count}` })));
    expect(lentBytes(sql.stack)).toBe(0);
  });

  test("tell damage with object and position", async () => {
    const store = new DamagedStore();
    await words({ store });
    const objects: string[] = [];
    for await (const { key } of store.list("segments/")) objects.push(key);
    store.damaged = objects.toSorted()[2] ?? null;
    await expect(sql.run("SELECT COUNT(*) AS n FROM words")).rejects.toMatchObject({
      code: "corrupt_segment",
      message: expect.stringContaining(`Cannot read ${store.damaged} at `),
      details: { key: store.damaged },
    });
    expect(lentBytes(sql.stack)).toBe(0);
  });
});

describe("BoundedQueries", () => {
  test("ends without an error when its reader leaves", async () => {
    sql = await SqlStack.open();
    await sql.run(bids);
    await sql.append("bids", [{ auction: 1 }]);
    const left = new AbortController();
    const rows = await started("SELECT auction FROM bids", left.signal);
    expect((await rows.next()).done).toBe(false);
    left.abort();
    expect((await rows.next()).done).toBe(true);
  });

  test("gives back the blocks that its task reads when its reader leaves", async () => {
    sql = await SqlStack.open(lentBlocks());
    await sql.run("CREATE STREAM words (word STRING) WITH ('partitions' = '1')");
    for (let count = 0; count < 40; count++) {
      await sql.append("words", [{ word: `${count}`.padEnd(7_000, "x") }]);
    }
    let isBusy = false;
    // As a thread that is ended in the middle: what was asked of it fails then.
    sql.wrapTask = (task) => {
      const ended = Promise.withResolvers<never>();
      ended.promise.catch(() => {});
      return {
        send: (request) => {
          if (request.kind !== "publishes") return task.send(request);
          isBusy = true;
          return ended.promise;
        },
        giveBack: (batches) => task.giveBack(batches),
        close: () => {
          ended.reject(new Error("The thread of a query was closed"));
          task.close();
        },
      };
    };
    const left = new AbortController();
    const rows = await started("SELECT word FROM words", left.signal);
    const next = rows.next();
    await sql.until(async () => isBusy);
    expect(lentBytes(sql.stack)).toBeGreaterThan(0);
    left.abort();
    expect((await next).done).toBe(true);
    expect(lentBytes(sql.stack)).toBe(0);
  });

  test("refuses more queries at once than there is room for, until one has ended", async () => {
    sql = await SqlStack.open();
    await sql.run(bids);
    await sql.append("bids", [{ auction: 1 }]);
    const { signal } = new AbortController();
    const open: AsyncIterator<RowsChunk>[] = [];
    for (let count = 0; count < 8; count++) {
      const rows = await started("SELECT auction FROM bids", signal);
      await rows.next();
      open.push(rows);
    }
    const next = async () => (await started("SELECT auction FROM bids", signal)).next();
    await expect(next()).rejects.toMatchObject({ code: "queue_full" });
    await open[0]?.return?.();
    expect((await next()).done).toBe(false);
  });

  test("sends rows that it inserts to the partitions of their keys", async () => {
    sql = await SqlStack.open();
    await sql.run(`CREATE TABLE users (id STRING, name STRING, PRIMARY KEY (id) NOT ENFORCED)
      WITH ('partitions' = '3')`);
    const began = sql.stack.platform.clock.now();
    await sql.run("INSERT INTO users VALUES ('a', 'x'), ('b', 'y'), ('eee', 'z'), ('a', 'w')");
    const partitions = await Promise.all([0, 1, 2].map((each) => sql.records("users", each)));
    const names = partitions.map((seen) => seen.map(({ value }) => JSON.parse(value ?? "").name));
    // As Kafka's Java client has it: {"id":"eee"} apart from the others.
    expect(names).toEqual([["z"], [], ["x", "y", "w"]]);
    // Retention counts from their insertion.
    for (const { timestamp } of partitions.flat()) expect(timestamp).toBeGreaterThanOrEqual(began);
  });
});
