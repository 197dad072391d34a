import { expect, test } from "bun:test";
import { KeptRows } from "../../../../src/sql/kernel/kept-rows.ts";
import { createSqliteHost, tableOf } from "../../../support/sqlite.ts";

test("rows that find no memory are not kept, and those before stay", () => {
  const host = createSqliteHost(16 * 1024 * 1024);
  const kept = new KeptRows(host, { kinds: ["integer", "text"], timeColumn: 0 });
  const table = tableOf(host.memory, ["integer", "text"], [[1n, "x".repeat(1_000_000)]]);
  let appended = 0;
  const fill = () => {
    for (; appended < 100; appended++) kept.append(table);
  };
  expect(fill).toThrow(expect.objectContaining({ code: "sql_memory_exceeded" }));
  expect(appended).toBeGreaterThan(2);
  expect(kept.rowCount).toBe(appended);
  kept.expire(2);
  expect(kept.rowCount).toBe(0);
  kept.append(table);
  expect(kept.rowCount).toBe(1);
});

test("checkpoints of other columns, newer ones and torn ones are refused", () => {
  const host = createSqliteHost();
  const create = (kind: "text" | "blob") =>
    new KeptRows(host, { kinds: ["integer", kind], timeColumn: 0 });
  const kept = create("text");
  kept.append(tableOf(host.memory, ["integer", "text"], [[1n, "one"]]));
  const blob = kept.save({ full: true });
  const refused = expect.objectContaining({ code: "corrupt_state" });
  expect(() => create("blob").restore(blob)).toThrow(refused);
  expect(() => create("text").restore(blob.subarray(0, blob.length - 1))).toThrow(refused);
  expect(() => create("text").restore(new Uint8Array(3))).toThrow(refused);
  const newer = blob.slice();
  newer[4] = 2;
  expect(() => create("text").restore(newer)).toThrow(refused);
});
