import { expect, test } from "bun:test";
import { LocalTask } from "../../../src/pipeline/local-task.ts";
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

function start(select: string, memoryBytesMax: number) {
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
    { platform, modules: loadSqlModules(), openScratch },
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
