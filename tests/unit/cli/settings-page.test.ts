import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withSettings } from "../../../src/cli/settings-page.ts";

test("docs/OPERATIONS.md lists the settings as they are", () => {
  const page = readFileSync(join(import.meta.dir, "../../../docs/OPERATIONS.md"), "utf8");
  expect(withSettings(page)).toBe(page);
});
