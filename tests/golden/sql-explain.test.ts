/** EXPLAIN of each query of `sql-explain/<schema>/`, against the text beside it. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nexmarkSchema } from "../support/nexmark-schema.ts";
import { TestCatalog } from "../support/sql-catalog.ts";

const folder = join(import.meta.dirname, "sql-explain");

for (const schema of readdirSync(folder)) {
  describe(`EXPLAIN over ${schema}`, () => {
    const read = (name: string) => readFileSync(join(folder, schema, name), "utf8");
    const catalog = new TestCatalog(schema === "nexmark" ? nexmarkSchema : read("schema.sql"), {
      timeZone: "Europe/Berlin",
    });
    const names = readdirSync(join(folder, schema))
      .filter((name) => name.endsWith(".sql") && name !== "schema.sql")
      .map((name) => name.replace(/\.sql$/, ""));
    for (const name of names) {
      test(name, () => {
        expect(catalog.explain(read(`${name}.sql`))).toBe(read(`${name}.txt`));
      });
    }
  });
}
