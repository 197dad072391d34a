/** The contract of the port itself. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { migrate, schemaVersion } from "../../src/meta/migrate.ts";
import { migrations } from "../../src/meta/schema.ts";
import { statement } from "../../src/meta/sql-values.ts";
import { codeOf, type MetadataUnderTest, newTopic, type OpenMetadata } from "./metadata-fixture.ts";

export function sqlContract(name: string, open: OpenMetadata): void {
  let metadata: MetadataUnderTest;
  beforeAll(async () => {
    metadata = await open();
  });
  afterAll(() => metadata.close());

  describe(`${name}: batches`, () => {
    test("values come back as they went in, whole numbers as integers", async () => {
      const [result] = await metadata.database.batch(
        [
          statement(
            "SELECT ?1, typeof(?1), ?2, ?3, ?4, ?5",
            ...[2 ** 53 - 1, "ü", null, new Uint8Array([0, 255]), 1.5],
          ),
        ],
        "read",
      );
      const values = [2 ** 53 - 1, "integer", "ü", null, new Uint8Array([0, 255]), 1.5];
      expect(result?.rows).toEqual([values]);
    });

    test("an integer past 2^53 is an error, not another number", async () => {
      const past = metadata.database.batch([statement("SELECT 9007199254740993")], "read");
      expect(await codeOf(past)).not.toBe("fulfilled");
    });

    test("a batch that fails leaves nothing, and the next one works", async () => {
      const topic = await newTopic(metadata.database);
      const raise = statement(
        "UPDATE topic_partition SET next_offset = 9 WHERE topic_number = ?1",
        topic.topicNumber,
      );
      const twice = statement("INSERT INTO namespace SELECT * FROM namespace");
      let failure: unknown;
      await metadata.database.batch([raise, twice], "write").catch((error) => {
        failure = error;
      });
      expect(failure).toBeInstanceOf(Error);
      const [result] = await metadata.database.batch(
        [
          statement(
            "SELECT next_offset FROM topic_partition WHERE topic_number = ?1",
            topic.topicNumber,
          ),
        ],
        "read",
      );
      expect(result?.rows).toEqual([[0]]);
    });

    test("migrating again changes nothing, nor does a program that knows less of the era", async () => {
      const latest = migrations.at(-1)?.version ?? 0;
      expect(await migrate(metadata.database)).toBe(latest);
      expect(await migrate(metadata.database, migrations.slice(0, -1))).toBe(latest);
      expect(await schemaVersion(metadata.database)).toBe(latest);
    });

    test("a database of a later era is refused", async () => {
      const { database } = metadata;
      const later = { version: 1000, title: "another log", statements: [] };
      expect(await migrate(database, [...migrations, later])).toBe(1000);
      expect(await codeOf(migrate(database))).toBe("metadata_newer");
      await database.batch([statement("DELETE FROM migration WHERE version = 1000")], "write");
      expect(await migrate(database)).toBe(migrations.at(-1)?.version ?? 0);
    });
  });
}
