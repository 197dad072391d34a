/** `streamctl sql`: runs statements given as a word, in a file, on standard input, at a prompt. */
import { readFileSync } from "node:fs";
import { count, oneOf, text, toggle } from "../../runtime/node/option-kinds.ts";
import { UsageError } from "../../runtime/node/options.ts";
import { timers } from "../../runtime/node/platform.ts";
import { apiClient, clientOptions } from "../api-client.ts";
import { type CommandCall, defineCommand, exitOk } from "../command.ts";
import type { CliIo } from "../io.ts";
import { runSql } from "../sql/sql-client.ts";
import { createPrinter, sqlFormats } from "../sql/sql-output.ts";
import { runPrompt } from "../sql/sql-prompt.ts";
import { unreadableFile } from "../unreadable-file.ts";

const options = {
  file: text("FILE", { short: "f", doc: "run the statements of this file" }),
  watch: toggle({ short: "w", doc: "run again and again until stopped" }),
  interval: count("SECONDS", { min: 1, max: 86_400 }, { fallback: "2", doc: "between the runs" }),
  url: clientOptions.url,
  token: clientOptions.token,
  output: oneOf(sqlFormats, {
    short: "o",
    fallback: "table",
    doc: "table for people; json, ndjson and csv for programs",
  }),
} as const;

type SqlCall = CommandCall<typeof options>;

export const sqlCommand = defineCommand({
  name: "sql",
  summary: "Run SQL: streams, live views and queries over topics",
  positionals: [
    { name: "SQL", doc: "statements with ; between them; absent: a prompt", optional: true },
  ],
  options,
  examples: [
    'streamctl sql "SELECT * FROM orders LIMIT 10"',
    "streamctl sql                                     # a prompt; \\? tells what it knows",
    "streamctl sql -f views.sql",
    'streamctl sql "SELECT * FROM totals" --watch',
    'streamctl sql "SELECT * FROM orders" -o csv > orders.csv',
  ],
  async run(call) {
    const { io, options: given, positionals } = call;
    const sql = await givenSql(io, positionals[0] ?? "", given.file);
    if (sql === undefined) {
      if (given.watch) throw new UsageError("--watch needs the statement to run");
      return await runPrompt(io, { api: apiClient(given), format: given.output });
    }
    await run(call, sql);
    return exitOk;
  },
});

/** Undefined: it is to be asked for at a prompt. */
async function givenSql(
  io: CliIo,
  word: string,
  file: string | undefined,
): Promise<string | undefined> {
  if (word !== "" && file !== undefined) {
    throw new UsageError("SQL and --file exclude each other: give one of them");
  }
  if (word !== "") return word;
  if (file !== undefined) return readScript(file);
  return io.stdin.isTerminal ? undefined : await readAll(io);
}

function readScript(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw unreadableFile(file, error);
  }
}

async function readAll(io: CliIo): Promise<string> {
  const decoder = new TextDecoder();
  let sql = "";
  for await (const chunk of io.stdin.chunks()) sql += decoder.decode(chunk, { stream: true });
  return sql + decoder.decode();
}

async function run(call: SqlCall, sql: string): Promise<void> {
  const { io, options: given } = call;
  const api = apiClient(given);
  for (;;) {
    if (given.watch) await clearScreen(io);
    const printer = createPrinter(given.output, io);
    await runSql({ api, sql, settings: {}, printer, signal: io.signal });
    if (!given.watch) return;
    await timers.sleep(given.interval * 1_000, io.signal);
    io.signal.throwIfAborted();
  }
}

/** Home, and nothing below: the table stands still and its figures move. */
async function clearScreen({ stdout }: CliIo): Promise<void> {
  if (stdout.isTerminal) await stdout.write("\u001b[H\u001b[2J");
}
