import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ScratchFile } from "../../../../src/runtime/node/scratch-file.ts";
import { StateFile } from "../../../../src/sql/sqlite/vfs.ts";
import { temporaryFolder } from "../../../support/processes.ts";
import { createSqliteHost } from "../../../support/sqlite.ts";

const kibibyte = 1024;

describe("ScratchFile", () => {
  test("pages are read as they were last written, and the file has no name", () => {
    const folder = temporaryFolder("scratch");
    const scratch = new ScratchFile(join(folder, "state"));
    const page = (byte: number) => new Uint8Array(4 * kibibyte).fill(byte);
    for (const [pageNumber, byte] of [
      [5, 1],
      [0, 2],
      [70_000, 3],
      [5, 4],
    ] as const) {
      scratch.write(pageNumber, page(byte));
    }
    const read = (pageNumber: number) => {
      const bytes = page(0);
      scratch.read(pageNumber, bytes);
      return bytes;
    };
    expect(read(0)).toEqual(page(2));
    expect(read(5)).toEqual(page(4));
    expect(read(70_000)).toEqual(page(3));
    expect(() => read(70_001)).toThrow(expect.objectContaining({ code: "corrupt_state" }));
    expect(readdirSync(folder)).toEqual([]);
    scratch.close();
    scratch.close();
  });

  test("a database larger than its memory lives on it", () => {
    const scratch = new ScratchFile(join(temporaryFolder("scratch"), "state"));
    const host = createSqliteHost(12 * kibibyte * kibibyte);
    const options = { name: "state", cachedBytesMax: 256 * kibibyte, scratch };
    const database = new StateFile(host, options).open();
    database.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v BLOB)");
    for (let k = 0; k < 200; k++) {
      database.run("INSERT INTO t VALUES (?, zeroblob(100000))", BigInt(k));
    }
    const sql = "SELECT count(*), sum(length(v)) FROM t";
    expect(database.query(sql)).toEqual([[200n, 20_000_000n]]);
    scratch.close();
  });
});
