/** What only the embedded file does: one owner, kill -9, and a new thread when one is lost. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTopic } from "../../src/meta/catalog.ts";
import { migrate } from "../../src/meta/migrate.ts";
import { publish } from "../../src/meta/publish.ts";
import { migrations } from "../../src/meta/schema.ts";
import { statement } from "../../src/meta/sql-values.ts";
import { LibsqlConnection } from "../../src/runtime/node/libsql-connection.ts";
import { openLibsqlFile } from "../../src/runtime/node/libsql-file.ts";
import { codeOf, newTopic, Publisher, receiptOf } from "./metadata-fixture.ts";

const directory = mkdtempSync(join(tmpdir(), "millrace-metadata-"));
afterAll(() => rmSync(directory, { recursive: true }));

const holder = join(import.meta.dirname, "fixtures/hold-metadata.ts");

/** Another process that opens the file, publishes one record and says so; then holds it. */
async function hold(path: string) {
  const child = Bun.spawn([process.execPath, holder, path], { stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  return { child, said: new TextDecoder().decode(value).trim() };
}

test("a second process on the same file is refused and told of a server", async () => {
  const path = join(directory, "owned.db");
  const { child, said } = await hold(path);
  expect(said).toBe("published 0");
  let refusal: unknown;
  await openLibsqlFile({ path, fsync: false }).catch((error) => {
    refusal = error;
  });
  expect(refusal).toMatchObject({ code: "metadata_unavailable", details: { owned: true } });
  expect(String(refusal)).toContain("sqld");
  child.kill(9);
  await child.exited;
});

test("after kill -9 the file opens at once and has what was published", async () => {
  const path = join(directory, "killed.db");
  const { child } = await hold(path);
  child.kill(9);
  await child.exited;
  const database = await openLibsqlFile({ path, fsync: true });
  await migrate(database);
  const [result] = await database.batch(
    [statement("SELECT next_offset FROM topic_partition")],
    "read",
  );
  expect(result?.rows).toEqual([[1]]);
  const [segment] = await database.batch(
    [statement("SELECT publish_position, entries FROM segment")],
    "read",
  );
  expect(segment?.rows).toHaveLength(1);
  await database.close();
});

test("several starters migrate an empty file once", async () => {
  const database = await openLibsqlFile({ path: join(directory, "starters.db"), fsync: false });
  const versions = await Promise.all([migrate(database), migrate(database), migrate(database)]);
  const latest = migrations.at(-1)?.version ?? 0;
  expect(versions).toEqual([latest, latest, latest]);
  const [result] = await database.batch([statement("SELECT count(*) FROM migration")], "read");
  expect(result?.rows).toEqual([[latest]]);
  await database.close();
});

test("a closed database refuses batches, and closes twice without harm", async () => {
  const database = await openLibsqlFile({ path: join(directory, "closed.db"), fsync: false });
  await database.close();
  await database.close();
  expect(await codeOf(database.batch([statement("SELECT 1")], "read"))).toBe(
    "metadata_unavailable",
  );
});

test("a lost connection says so and is of no more use", () => {
  const connection = new LibsqlConnection({ path: ":memory:", fsync: false });
  connection.batch([statement("SELECT 1")], "read");
  expect(connection.isBroken).toBe(false);
  connection.close();
  expect(() => connection.batch([statement("SELECT 1")], "read")).toThrow("connection is lost");
  expect(connection.isBroken).toBe(true);
});

test("a file that is no database is reported as corrupt", async () => {
  const path = join(directory, "garbage.db");
  await Bun.write(
    path,
    "not a database at all, but longer than a header of one hundred bytes. ".repeat(9),
  );
  expect(await codeOf(openLibsqlFile({ path, fsync: false }))).toBe("corrupt_metadata");
});

test("publishing and reading work beside each other on one thread", async () => {
  const database = await openLibsqlFile({ path: join(directory, "busy.db"), fsync: false });
  await migrate(database);
  const topic = await newTopic(database);
  const worker = await Publisher.open(database);
  const requests = Array.from({ length: 50 }, () => worker.request([{ topic, count: 1 }]));
  const results = await Promise.all(
    requests.map(async (request) => receiptOf((await publish(database, [request]))[0])),
  );
  expect(results.map((receipt) => receipt.entries[0]?.baseOffset)).toEqual(
    Array.from({ length: 50 }, (_, index) => index),
  );
  expect(await codeOf(createTopic(database, { ...topic, config: {} }))).toBe("fulfilled");
  await database.close();
});
