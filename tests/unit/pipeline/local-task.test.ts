import { describe, expect, test } from "bun:test";
import { LocalTask, type LocalTaskParts } from "../../../src/pipeline/local-task.ts";
import type { TaskReply } from "../../../src/pipeline/task-protocol.ts";
import { batchesIn } from "../../../src/record/batch.ts";
import { encodeBatch } from "../../../src/record/batch-encode.ts";
import { decodeRecords } from "../../../src/record/batch-records.ts";
import { loadSqlModules } from "../../../src/runtime/node/wasm-modules.ts";
import { MemoryDisk } from "../../support/memory-disk.ts";
import { codecs, crc32c } from "../../support/record-tools.ts";
import { planCase } from "../../support/sql-case-run.ts";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

const mebibyte = 1024 * 1024;
const rowsPerPublish = 10_000;
const encoder = new TextEncoder();

function start(
  select: string,
  memoryBytesMax: number,
  bounds: Partial<
    Pick<LocalTaskParts, "outputBytesMax" | "spillBytesMax" | "pageBytesMax" | "breath">
  > = {},
) {
  const script = `CREATE TABLE t (g BIGINT, v BIGINT) WITH ('topic' = 't', 'format' = 'json');\n${select}`;
  const partitions = [{ topic: "t", partition: 0 }];
  const { setup } = planCase({
    ...{ name: "memory", script, timeZone: "UTC", isBounded: false, quietTimeoutMs: 0 },
    ...{ partitions, publishes: [] },
  });
  const disks: MemoryDisk[] = [];
  const openScratch = () => {
    const disk = new MemoryDisk();
    disks.push(disk);
    return disk;
  };
  const platform = createVirtualPlatform({ seed: 1, codecs, crc32c });
  const task = new LocalTask(
    {
      ...{ platform, modules: loadSqlModules(), openScratch },
      ...bounds,
    },
    { ...setup, memoryBytesMax, states: [] },
  );
  /** Publishes rows whose values go up from `first`, by `step`. */
  const publish = (first: number, step = 1) => {
    const records = Array.from({ length: rowsPerPublish }, (_, index) => {
      const v = first + index * step;
      const value = encoder.encode(`{"g":${v % 4},"v":${v}}`);
      return { key: null, value, timestamp: 0, headers: [] };
    });
    const batch = encodeBatch({ records, codec: "none", baseOffset: first }, { codecs, crc32c });
    const run = { topic: "t", partition: 0, fromOffset: first, batches: [batch] };
    return task.answer({
      kind: "publishes",
      publishes: [{ publishedAt: first, runs: [run], created: [] }],
    });
  };
  return { task, publish, disks };
}

function valuesOf({ outputs }: TaskReply): string[] {
  const values: string[] = [];
  for (const { bytes } of outputs) {
    for (const batch of batchesIn(bytes)) {
      for (const { value } of decodeRecords(batch.bytes, { codecs, sizeMax: 1e9 })) {
        values.push(new TextDecoder().decode(value ?? new Uint8Array()));
      }
    }
  }
  return values;
}

test("DISTINCT values that are more than a query's memory are counted on scratch disk", () => {
  const select =
    "SELECT g, COUNT(DISTINCT v) AS n, COUNT(DISTINCT v) FILTER (WHERE v < 1000) AS few " +
    "FROM t GROUP BY g";
  const { task, publish, disks } = start(select, 16 * mebibyte);
  const rows = 700_000;
  for (let first = 0; first < rows; first += rowsPerPublish) {
    publish(first);
    if (first % 100_000 !== 0) continue;
    task.answer({ kind: "commit", state: first === 0 ? "full" : "delta" });
  }
  publish(0);
  const last = valuesOf(task.answer({ kind: "commit", state: "delta" }));
  expect(last.sort()).toEqual([0, 1, 2, 3].map((g) => `{"g":${g},"n":${rows / 4},"few":250}`));
  expect(disks.some(({ pages }) => pages.size > 0)).toBe(true);
});

test("groups that are more than a query's memory leave it with early commits", () => {
  const select = "SELECT v, COUNT(*) AS n FROM t GROUP BY v";
  const { task, publish, disks } = start(select, 16 * mebibyte);
  let commits = 0;
  for (let first = 0; first < 240_000; first += rowsPerPublish) {
    if (!publish(first).awaitsCommit) continue;
    expect(
      valuesOf(task.answer({ kind: "commit", state: commits++ === 0 ? "full" : "delta" })),
    ).not.toHaveLength(0);
  }
  expect(commits).toBeGreaterThan(3);
  task.answer({ kind: "commit", state: "delta" });
  publish(0);
  const last = valuesOf(task.answer({ kind: "commit", state: "delta" }));
  expect(last).toHaveLength(rowsPerPublish);
  expect(last[0]).toBe('{"v":0,"n":2}');
  // Of pages that far more rows have together than memory takes: no journal holds them.
  publish(7, 24);
  const spread = valuesOf(task.answer({ kind: "commit", state: "delta" }));
  expect(spread).toHaveLength(rowsPerPublish);
  expect(spread.filter((value) => !/"n":[23]}$/.test(value))).toEqual([]);
  expect(disks.some(({ pages }) => pages.size > 0)).toBe(true);
}, 60_000);

test("a query whose groups are more than its memory says so", () => {
  const { publish } = start("SELECT v, COUNT(*) AS n FROM t GROUP BY v", 16 * mebibyte);
  const fill = () => {
    for (let first = 0; first < 700_000; first += rowsPerPublish) publish(first);
  };
  expect(fill).toThrow(
    expect.objectContaining({
      code: "sql_memory_exceeded",
      message: expect.stringContaining("Raise its memory bound"),
    }),
  );
});

test("results between two commits that are more than their bound come in parts", () => {
  const { task, publish, disks } = start("SELECT v FROM t WHERE v >= 0", 16 * mebibyte, {
    outputBytesMax: mebibyte,
  });
  const rounds = 20;
  for (let round = 0; round < rounds; round++) publish(round * rowsPerPublish);
  let reply = task.answer({ kind: "commit", state: "full" });
  const values: string[] = [];
  let parts = 0;
  for (; ; parts++) {
    const bytes = reply.outputs.reduce((sum, each) => sum + each.bytes.length, 0);
    expect(bytes).toBeLessThanOrEqual(mebibyte);
    values.push(...valuesOf(reply));
    task.giveBack(reply.outputs.map((each) => each.bytes));
    if (!reply.outputsAreLeft) break;
    // The state comes with the last of them.
    expect(reply.state).toBeNull();
    reply = task.answer({ kind: "rest" });
  }
  expect(parts).toBeGreaterThan(2);
  expect(values).toEqual(Array.from({ length: rounds * rowsPerPublish }, (_, v) => `{"v":${v}}`));
  expect(reply.state).not.toBeNull();
  expect(disks.every(({ pages }) => pages.size === 0)).toBe(true);
  publish(0);
  const next = task.answer({ kind: "commit", state: "delta" });
  expect(valuesOf(next)).toHaveLength(rowsPerPublish);
  expect(next.outputsAreLeft).toBe(false);
});

describe("a publish with more new groups than memory takes", () => {
  const rowsPerBatch = 40_000;
  const rows = 120_000;
  /** One publish, its keys far from their order; each comes `times` times. */
  const publishOf = (times: number) => {
    const keys = rows / times;
    const batches: Uint8Array[] = [];
    for (let first = 0; first < rows; first += rowsPerBatch) {
      const records = Array.from({ length: rowsPerBatch }, (_, index) => {
        const v = ((first + index) * 7_919) % keys;
        const value = encoder.encode(`{"g":${first % 4},"v":${v}}`);
        return { key: null, value, timestamp: 0, headers: [] };
      });
      const batch = { records, codec: "none", baseOffset: first } as const;
      batches.push(encodeBatch(batch, { codecs, crc32c }));
    }
    const run = { topic: "t", partition: 0, fromOffset: 0, batches };
    return { publishedAt: 1, runs: [run], created: [] };
  };
  const changesOf = async (select: string, times: number, isTight: boolean) => {
    const breath = { pieceRecords: 16_384, take: async () => {} };
    // What a query has on Workers.
    const bounds = { spillBytesMax: 3 * mebibyte, pageBytesMax: 3 * mebibyte, breath };
    const { task } = start(select, (isTight ? 32 : 512) * mebibyte, isTight ? bounds : {});
    const changes: string[] = [];
    for (const [round, publish] of [publishOf(times), publishOf(2 * times)].entries()) {
      await task.send({ kind: "publishes", publishes: [publish] });
      const state = round === 0 ? "full" : "delta";
      const reply = await task.send({ kind: "commit", state });
      for (const { bytes } of reply.outputs) {
        for (const batch of batchesIn(bytes)) {
          for (const { key, value } of decodeRecords(batch.bytes, { codecs, sizeMax: 1e9 })) {
            changes.push(`${round} ${textOf(key)} ${textOf(value)}`);
          }
        }
      }
    }
    return { changes, hasSpilled: task.spillCount > 0 };
  };
  const textOf = (bytes: Uint8Array | null) =>
    bytes === null ? "gone" : new TextDecoder().decode(bytes);

  for (const [name, select] of [
    ["as they are", "SELECT v, COUNT(*) AS n, SUM(g) AS total FROM t GROUP BY v"],
    ["by a condition", "SELECT v, COUNT(*) AS n FROM t GROUP BY v HAVING COUNT(*) < 3"],
    ["with DISTINCT", "SELECT v, COUNT(DISTINCT g) AS n FROM t GROUP BY v"],
  ] as const) {
    test(`gives what it gives with room: ${name}`, async () => {
      const roomy = await changesOf(select, 1, false);
      const tight = await changesOf(select, 1, true);
      expect(roomy.hasSpilled).toBe(false);
      expect(tight.hasSpilled).toBe(true);
      expect(tight.changes.length).toBe(roomy.changes.length);
      expect(tight.changes).toEqual(roomy.changes);
    }, 120_000);
  }

  test("ends where it ends with room, if groups are grouped again", async () => {
    const select =
      "SELECT n, COUNT(*) AS keys FROM (SELECT v, COUNT(*) AS n FROM t GROUP BY v) GROUP BY n";
    const stateOf = ({ changes }: { readonly changes: readonly string[] }) => {
      const state = new Map<string, string>();
      for (const change of changes) {
        const [, key = "", value = ""] = change.split(" ");
        if (value === "gone") state.delete(key);
        else state.set(key, value);
      }
      return state;
    };
    const tight = stateOf(await changesOf(select, 1, true));
    expect(tight).toEqual(stateOf(await changesOf(select, 1, false)));
    expect(tight.size).toBe(2);
  }, 120_000);
});

test("a publish that is read with pauses gives what it gives without", async () => {
  const script = `CREATE STREAM t (g BIGINT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
    WITH ('topic' = 't', 'format' = 'json');
    SELECT g, COUNT(*) AS n, SUM(v) AS total, window_start
    FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' SECOND)
    GROUP BY g, window_start, window_end`;
  const partitions = [0, 1].map((partition) => ({ topic: "t", partition }));
  const { setup } = planCase({
    ...{ name: "pauses", script, timeZone: "UTC", isBounded: false, quietTimeoutMs: 0 },
    ...{ partitions, publishes: [] },
  });
  const platform = createVirtualPlatform({ seed: 1, codecs, crc32c });
  // Out of order, so that whether a row is late depends on those before it in its publish.
  const batchOf = (partition: number, first: number) => {
    const records = Array.from({ length: 50 }, (_, index) => {
      const v = first + index;
      const ts = `2026-01-01 00:00:${String(10 + ((v * 7 + partition) % 40)).padStart(2, "0")}`;
      const value = encoder.encode(`{"g":${v % 3},"v":${v},"ts":"${ts}"}`);
      return { key: null, value, timestamp: 0, headers: [] };
    });
    return encodeBatch({ records, codec: "none", baseOffset: first }, { codecs, crc32c });
  };
  const publishes = Array.from({ length: 6 }, (_, count) => ({
    ...{ publishedAt: Date.UTC(2026, 0, 1, 0, 1, count), created: [] },
    runs: [0, 1].map((partition) => {
      const fromOffset = 500 * count;
      const batches = Array.from({ length: 10 }, (_, at) =>
        batchOf(partition, fromOffset + 50 * at),
      );
      return { topic: "t", partition, fromOffset, batches };
    }),
  }));
  const shown = async (pieceRecords: number | null) => {
    let pauses = 0;
    const take = async () => {
      pauses += 1;
    };
    const breath = pieceRecords === null ? {} : { breath: { pieceRecords, take } };
    const task = new LocalTask(
      { platform, modules: loadSqlModules(), ...breath },
      { ...setup, memoryBytesMax: 16 * mebibyte, states: [] },
    );
    const { statistics } = await task.send({ kind: "publishes", publishes });
    const { outputs } = await task.send({ kind: "commit", state: "full" });
    const results = outputs.map(({ kind, bytes, ...rest }) => ({ kind, rest, size: bytes.length }));
    const reply = await task.send({ kind: "ask" });
    return { pauses, made: { results, values: valuesOf({ ...reply, outputs }), statistics } };
  };
  const whole = await shown(null);
  expect(whole.made.values.length).toBeGreaterThan(50);
  expect(whole.made.statistics.rowsLate).toBeGreaterThan(0);
  for (const pieceRecords of [1, 70, 1_000]) {
    const { pauses, made } = await shown(pieceRecords);
    expect(made).toEqual(whole.made);
    expect(pauses).toBeGreaterThanOrEqual(Math.floor(6_000 / Math.max(100, pieceRecords)) / 2);
  }
});
