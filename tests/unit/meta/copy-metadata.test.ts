import { expect, test } from "bun:test";
import { join } from "node:path";
import { copyMetadata, copyState, refuseOpenEpochs } from "../../../src/meta/copy-metadata.ts";
import { migrate } from "../../../src/meta/migrate.ts";
import type { SqlDatabase } from "../../../src/meta/sql-database.ts";
import { openLibsqlFile } from "../../../src/runtime/node/libsql-file.ts";
import { temporaryFolder } from "../../support/processes.ts";

const open = (name: string) =>
  openLibsqlFile({ path: join(temporaryFolder(name), "m.db"), fsync: false });

async function ask(database: SqlDatabase, sql: string) {
  return (await database.batch([{ sql, args: [] }], "write"))[0]?.rows ?? [];
}

/** A log of one worker that has left, with more rows than one read takes. */
async function filled(): Promise<SqlDatabase> {
  const database = await open("from");
  await migrate(database);
  for (const sql of [
    `INSERT INTO worker (worker_epoch, registration, node_id, kind, closed, mended, started_at)
  VALUES (7, 'r', 1, 'process', 1, 1, 0), (9, 's', 1, 'process', 1, 1, 0)`,
    "DELETE FROM worker WHERE worker_epoch = 9",
    `INSERT INTO group_offset WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n
  WHERE i < 1233) SELECT 'g' || i % 3, i, 0, i * 5, -1, 'x''y', i FROM n`,
    `INSERT INTO access_token VALUES ('t', 'hash', '[]', '[]', '[]', 2.5, 1, NULL)`,
    "UPDATE namespace SET publish_position = 55",
  ]) {
    await ask(database, sql);
  }
  return database;
}

const failureOf = (made: Promise<unknown>) =>
  made.then(
    () => "none",
    (error: unknown) => String(error),
  );

const quiet = { signal: new AbortController().signal, onProgress: async () => {} };

test("copyMetadata gives the other database the same rows and the same next numbers", async () => {
  const [from, to] = [await filled(), await open("to")];
  expect(await copyState(from, to)).toBe("empty");
  expect(await copyMetadata({ from, to, ...quiet })).toBe(1237);
  expect(await copyState(from, to)).toBe("complete");
  for (const table of ["namespace", "worker", "group_offset", "access_token", "migration"]) {
    const columns = table === "migration" ? "version, title" : "*";
    const text = `SELECT ${columns} FROM ${table} ORDER BY 1, 2`;
    expect(await ask(to, text)).toEqual([...(await ask(from, text))]);
  }
  const added = `INSERT INTO worker (registration, node_id, kind, started_at)
  VALUES ('new', 2, 'process', 0) RETURNING worker_epoch`;
  expect(await ask(to, added)).toEqual([[10]]);
  await Promise.all([from.close(), to.close()]);
});

test("copyMetadata goes on after it failed, and no worker starts on half of it", async () => {
  const [from, to] = [await filled(), await open("to")];
  let batches = 6;
  const failing: SqlDatabase = {
    ...{ description: to.description, close: () => to.close() },
    async batch(statements, mode) {
      if (batches-- === 0) throw new Error("cut off");
      return await to.batch(statements, mode);
    },
  };
  const cut = copyMetadata({ from, to: failing, ...quiet });
  expect(await failureOf(cut)).toMatch("cut off");
  batches = 1_000;
  const partly = copyMetadata({
    ...{ from, to: failing, signal: quiet.signal },
    onProgress: () => Promise.reject(new Error("stopped")),
  });
  expect(await failureOf(partly)).toMatch("stopped");
  expect(await copyState(from, to)).toBe("begun");
  expect(await failureOf(migrate(to))).toMatch(/being copied into it/);
  await copyMetadata({ from, to, ...quiet });
  expect(await copyState(from, to)).toBe("complete");
  expect(await ask(to, "SELECT count(*) FROM group_offset")).toEqual([[1234]]);
  expect(await migrate(to)).toBeGreaterThan(5);
  await Promise.all([from.close(), to.close()]);
});

test("copyState refuses what another log has been written into, refuseOpenEpochs who runs", async () => {
  const [from, other] = [await filled(), await filled()];
  expect(await failureOf(copyState(from, other))).toMatch(/another log is in it/);
  await refuseOpenEpochs(from);
  await ask(from, "UPDATE worker SET closed = 0");
  expect(await failureOf(refuseOpenEpochs(from))).toMatch(/a worker runs on it/);
  await Promise.all([from.close(), other.close()]);
});
