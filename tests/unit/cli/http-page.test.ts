import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withHttpReference } from "../../../src/cli/http-page.ts";

test("docs/HTTP.md holds the reference that the routes make", () => {
  const page = readFileSync(join(import.meta.dir, "../../../docs/HTTP.md"), "utf8");
  expect(withHttpReference(page)).toBe(page);
});
