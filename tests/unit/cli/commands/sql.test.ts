import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttpApp } from "../../../../src/server/http/app.ts";
import { runCli } from "../../../support/cli-run.ts";
import { createHttpFixture } from "../../../support/http-fixture.ts";
import { SqlStack } from "../../../support/sql-stack.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-sql-"));
const stack = await SqlStack.open();
const app = createHttpApp(createHttpFixture({ sql: { sql: stack.service } }).context);
const server = Bun.serve({
  ...{ port: 0, hostname: "127.0.0.1" },
  fetch: (request) => app.fetch(request),
});
afterAll(async () => {
  await server.stop(true);
  await stack.close();
  rmSync(folder, { recursive: true });
});

await stack.run(`CREATE STREAM bids (auction BIGINT, price DECIMAL(10, 2), note STRING)
  WITH ('partitions' = '1');
  INSERT INTO bids VALUES (9007199254740993, 0.10, 'say "hi", twice'), (2, NULL, '')`);

const run = (words: readonly string[], options: Parameters<typeof runCli>[1] = {}) =>
  runCli(["sql", ...words], { env: { MILLRACE_URL: server.url.origin }, ...options });

describe("streamctl sql", () => {
  test("shows tables, numbers on the right, messages among them", async () => {
    const script = "SELECT auction, price FROM bids; SET 'table.local-time-zone' = 'UTC'; SELECT 1";
    const { stdout, stderr, exitCode } = await run([script]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout).toBe(
      "         auction  price\n9007199254740993   0.10\n               2   NULL\n(2 rows)\n\n" +
        "Set table.local-time-zone\n\nEXPR$0\n     1\n(1 row)\n",
    );
  });

  test("cuts what a terminal has no room for", async () => {
    const { stdout } = await run(["SELECT note, 'x' AS x FROM bids"], { columns: 14 });
    expect(stdout).toContain('say "hi", …  x\n');
  });

  test("writes JSON, lines and CSV for programs", async () => {
    const sql = "SELECT * FROM bids";
    const first = '{"auction":9007199254740993,"price":0.10,"note":"say \\"hi\\", twice"}';
    const second = '{"auction":2,"price":null,"note":""}';
    expect((await run([sql, "-o", "json"])).stdout).toBe(`[\n${first},\n${second}\n]\n`);
    expect((await run([sql, "-o", "ndjson"])).stdout).toBe(`${first}\n${second}\n`);
    expect((await run([sql, "-o", "csv"])).stdout).toBe(
      'auction,price,note\r\n9007199254740993,0.10,"say ""hi"", twice"\r\n2,,""\r\n',
    );
    const set = await run(["SET 'table.local-time-zone' = 'UTC'", "-o", "json"]);
    expect(set).toMatchObject({ stdout: "", stderr: "Set table.local-time-zone\n" });
    expect((await run(["SHOW VIEWS", "-o", "json"])).stdout).toBe("[]\n");
  });

  test("reads a file or standard input", async () => {
    const file = join(folder, "script.sql");
    writeFileSync(file, "-- two\nSELECT 1 AS a;\nSELECT 2 AS a;\n");
    expect((await run(["-f", file, "-o", "ndjson"])).stdout).toBe('{"a":1}\n{"a":2}\n');
    expect((await run(["-o", "ndjson"], { stdin: "SELECT 3 AS a" })).stdout).toBe('{"a":3}\n');
    expect((await run(["-f", join(folder, "none")])).exitCode).toBe(1);
    expect((await run(["SELECT 1", "-f", file])).exitCode).toBe(2);
  });

  test("points at what is wrong, and fails", async () => {
    const { stderr, stdout, exitCode } = await run(["SELECT auktion FROM bids"]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
    expect(stderr).toBe(
      'streamctl: Line 1, column 8: there is no column "auktion"\n\n' +
        "  1 | SELECT auktion FROM bids\n    |        ^^^^^^^\nDid you mean auction?\n",
    );
    const behind = await run(["SELECT auction FROM bids; SELECT 1 / (auction - 2) FROM bids"]);
    expect(behind.exitCode).toBe(1);
    expect(behind.stdout).toContain("(2 rows)");
    expect(behind.stderr).toContain("Division by zero");
  });

  test("marks what becomes of the rows of a live view", async () => {
    await stack.run(`SET 'execution.checkpointing.interval' = '10 ms';
      CREATE MATERIALIZED VIEW tops AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction`);
    await stack.until(async () => (await stack.records("tops")).length === 2);
    const following = async (format: string, onText: (text: string) => boolean) => {
      const stop = new AbortController();
      const words = ["SELECT auction, n FROM tops EMIT CHANGES", "-o", format];
      const { stdout } = await run(words, {
        signal: stop.signal,
        onStdout: (text) => {
          if (onText(text)) stop.abort();
        },
      });
      return stdout;
    };
    let inserting: Promise<unknown> | undefined;
    const table = await following("table", (text) => {
      inserting ??= stack.run("INSERT INTO bids VALUES (2, 1, NULL)");
      return text.includes("~");
    });
    await inserting;
    expect(table.split("\n").slice(0, 4)).toEqual([
      "            auction  n",
      "   9007199254740993  1",
      "                  2  1",
      "~                 2  2",
    ]);
    expect(await following("csv", (text) => text.includes("2,2"))).toBe(
      "change,auction,n\r\nsnapshot,9007199254740993,1\r\nsnapshot,2,2\r\n",
    );
    expect(await following("json", (text) => text.includes('"n":2'))).toStartWith(
      '[\n{"change":"snapshot","row":{"auction":9007199254740993,"n":1}}',
    );
  });

  test("runs again and again with --watch until it is stopped", async () => {
    const stop = new AbortController();
    const { exitCode, stdout } = await run(["SELECT 7 AS a", "--watch", "--interval", "1"], {
      ...{ signal: stop.signal, columns: 80 },
      onStdout: (text) => {
        if (text.split("(1 row)").length === 3) stop.abort();
      },
    });
    expect(exitCode).toBe(130);
    expect(stdout.split("\u001b[H\u001b[2J").length).toBe(3);
  });
});
