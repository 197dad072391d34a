import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { historyPath, PromptHistory } from "../../../../src/cli/sql/prompt-history.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-history-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("PromptHistory", () => {
  test("keeps statements as lines for the user alone, the newest first", () => {
    const path = historyPath({ XDG_CONFIG_HOME: folder });
    expect(historyPath({ HOME: "/home/a" })).toBe("/home/a/.config/millrace/sql-history");
    const history = new PromptHistory(path);
    for (const statement of ["SELECT 1\n  FROM a;", "\\d", "\\d", " "]) history.add(statement);
    expect(readFileSync(path, "utf8")).toBe("SELECT 1 FROM a;\n\\d\n");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(new PromptHistory(path).newestFirst()).toEqual(["\\d", "SELECT 1 FROM a;"]);
  });
});
