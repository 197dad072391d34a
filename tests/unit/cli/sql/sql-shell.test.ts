import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { apiClient } from "../../../../src/cli/api-client.ts";
import type { CliIo, Output } from "../../../../src/cli/io.ts";
import { SqlShell } from "../../../../src/cli/sql/sql-shell.ts";

interface Asked {
  readonly sql: string;
  readonly settings: Record<string, string>;
}

let asked: Asked[] = [];
let answer: () => Response = () => new Response('{"end":true}\n');
const server = Bun.serve({
  port: 0,
  async fetch(request) {
    asked.push((await request.json()) as Asked);
    return answer();
  },
});

let shell: SqlShell;
let stdout = "";
let stderr = "";
const signal = new AbortController().signal;

afterAll(() => server.stop(true));
beforeEach(() => {
  asked = [];
  stdout = "";
  stderr = "";
  answer = () => new Response('{"end":true}\n');
  const output = (take: (text: string) => void): Output => ({
    ...{ isTerminal: false, columns: 80, hasColour: false },
    async write(content) {
      take(String(content));
    },
  });
  const io: CliIo = {
    stdin: { isTerminal: true, async *chunks() {} },
    stdout: output((text) => {
      stdout += text;
    }),
    stderr: output((text) => {
      stderr += text;
    }),
    ...{ env: {}, signal },
  };
  const api = apiClient({ url: server.url.origin, token: undefined });
  shell = new SqlShell(io, { api, format: "table" });
});

describe("SqlShell", () => {
  test("gathers lines up to the semicolon that ends the statement", async () => {
    expect(await shell.line("SELECT ';' -- ;", signal)).toEqual({ kind: "more" });
    expect(await shell.line("FROM bids", signal)).toEqual({ kind: "more" });
    const ran = "SELECT ';' -- ;\nFROM bids\n;";
    expect(await shell.line(";", signal)).toEqual({ kind: "ready", ran });
    expect(asked.map(({ sql }) => sql)).toEqual([ran]);
    expect(await shell.line("", signal)).toEqual({ kind: "ready", ran: null });
  });

  test("sends along what SET has set, once it has been taken", async () => {
    await shell.line("SET 'a' = '1'; SET 'b' = '2';", signal);
    await shell.line("RESET 'b';", signal);
    answer = () => Response.json({ code: "sql_invalid", detail: "no" }, { status: 400 });
    await shell.line("SET 'c' = '3';", signal);
    await shell.line("SHOW TABLES;", signal);
    expect(asked.map(({ settings }) => settings)).toEqual([
      {},
      { a: "1", b: "2" },
      { a: "1" },
      { a: "1" },
    ]);
  });

  test("knows its own commands", async () => {
    for (const line of ["\\d", "\\d my.table;", "\\dq", "\\df"]) await shell.line(line, signal);
    expect(asked.map(({ sql }) => sql)).toEqual([
      ...["SHOW TABLES", "DESCRIBE my.table", "SHOW QUERIES", "SHOW FUNCTIONS"],
    ]);
    await shell.line("\\?", signal);
    expect(stdout).toContain("queries that go on");
    await shell.line("\\x", signal);
    expect(stderr).toBe("There is no \\x: \\? tells what there is\n");
    expect(await shell.line(" \\q", signal)).toEqual({ kind: "quit" });
  });

  test("shows errors with their place and goes on", async () => {
    const problem = { code: "sql_syntax", detail: "short", diagnostic: "Line 1\n  ^" };
    answer = () => Response.json(problem, { status: 400 });
    expect(await shell.line("SELEKT 1;", signal)).toMatchObject({ kind: "ready" });
    expect(stderr).toBe("Line 1\n  ^\n");
  });

  test("says that a statement was cancelled", async () => {
    const cancel = new AbortController();
    answer = () => {
      cancel.abort();
      return new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));
    };
    await shell.line("SELECT 1;", cancel.signal);
    expect(stderr).toBe("Cancelled\n");
  });
});
