import { describe, expect, test } from "bun:test";
import { migrate } from "../../../src/meta/migrate.ts";
import { migrations } from "../../../src/meta/schema.ts";
import { statement } from "../../../src/meta/sql-values.ts";
import { extentForTimestamp, extentOfMaxTimestamp } from "../../../src/meta/timestamp-index.ts";
import { epochsToMend } from "../../../src/meta/workers.ts";
import { memoryDatabase } from "../../support/log-stack.ts";

const partition = { topicNumber: 1, partition: 0 };

/** A database as version 1 left it: three rows of one partition, an ended worker and an open one. */
async function versionOne() {
  const database = memoryDatabase();
  await migrate(database, migrations.slice(0, 1));
  const worker = "INSERT INTO worker (registration, node_id, kind, closed, started_at, closed_at)";
  await database.batch(
    [
      statement(
        `INSERT INTO topic_partition (topic_number, partition, next_offset, created_position)
VALUES (1, 0, 3, 0)`,
      ),
      statement("INSERT INTO object VALUES (1, 'k', 1, 30, 3, NULL)"),
      ...[100, 300, 200].map((time, index) =>
        statement(
          "INSERT INTO extent VALUES (1, 0, ?1, ?1, 1, 1, 1, ?2, 10, ?3)",
          ...[index, index * 10, time],
        ),
      ),
      statement(`${worker} VALUES ('a', 1, 'process', 1, 0, 1), ('b', 2, 'process', 0, 0, NULL)`),
    ],
    "write",
  );
  return database;
}

describe("schema version 2", () => {
  test("finds times in rows that version 1 wrote", async () => {
    const database = await versionOne();
    expect(await migrate(database)).toBe(migrations.at(-1)?.version ?? 0);
    const find = async (timestamp: number) => {
      const asked = { ...partition, timestamp, fromOffset: 0 };
      return (await extentForTimestamp(database, asked))?.baseOffset;
    };
    expect([await find(100), await find(101), await find(301)]).toEqual([0, 1, undefined]);
    const newest = await extentOfMaxTimestamp(database, { ...partition, fromOffset: 0 });
    expect(newest?.baseOffset).toBe(1);
  });

  test("takes epochs that ended before for looked after", async () => {
    const database = await versionOne();
    await migrate(database);
    expect(await epochsToMend(database)).toEqual([]);
  });
});
