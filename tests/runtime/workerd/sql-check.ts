/** A row through SQLite and every kernel of its host, on workerd. */
import { sqlModules } from "../../../src/runtime/workerd/sql-modules.ts";
import { Collector } from "../../../src/sql/sqlite/collector.ts";
import { Emitter } from "../../../src/sql/sqlite/emitter.ts";
import { registerFunctions } from "../../../src/sql/sqlite/functions.ts";
import { SqliteHost } from "../../../src/sql/sqlite/host.ts";
import { StateFile } from "../../../src/sql/sqlite/vfs.ts";
import { declareTable } from "../../../src/sql/sqlite/virtual-table.ts";

/** What became of the row: the records' bytes as text, and the bytes of a checkpoint. */
export function sqlCheck(): { readonly records: string; readonly checkpointBytes: number } {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const memoryBytesMax = 64 * 1024 * 1024;
  const host = new SqliteHost({ modules: sqlModules, clock, memoryBytesMax });
  const file = new StateFile(host, { name: "state" });
  const database = file.open();
  registerFunctions(database, [
    { name: "shout", argumentCount: 1, call: ([text]) => `${String(text)}!` },
  ]);
  database.run("CREATE TABLE names(id INTEGER PRIMARY KEY, name TEXT)");
  database.run("INSERT INTO names VALUES (1, 'one'), (2, 'two')");
  const ids = new Collector(host, ["integer"]);
  ids.collect(database.prepare("VALUES (1), (2)"));
  const { table } = declareTable(database, "ids", [{ name: "id", kind: "integer" }]);
  table.pointTo(ids.table);
  const emitter = new Emitter(host, {
    value: [
      { name: "id", type: { kind: "bigint" }, column: 0 },
      { name: "name", type: { kind: "varchar", length: null }, column: 1 },
      { name: "third", type: { kind: "double" }, column: 2 },
    ],
    key: [],
  });
  const sql = "SELECT id, shout(name), id / 3.0 FROM ids CROSS JOIN names USING (id)";
  emitter.startStatement(database.prepare(sql));
  const { chunk } = emitter.next();
  const records = new TextDecoder().decode(chunk?.records);
  return { records, checkpointBytes: file.checkpoint("full").length };
}
