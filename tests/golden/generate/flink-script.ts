/**
 * Confirms goldens of `tests/golden/sql` with Apache Flink: writes the cases that mean the same there
 * as one script over files, and compares what its run has left with the goldens.
 *
 *     bun tests/golden/generate/flink-script.ts write DIRECTORY [zone [sessions]]   script.sql, and inputs beside it
 *     bun tests/golden/generate/flink-script.ts compare DIRECTORY   marks goldens that Flink confirms
 *
 * The script is for Flink's SQL with `execution.runtime-mode=BATCH` (sessions: STREAMING), and
 * `table.dml-sync=true`; whoever runs it goes on behind a statement that fails. A case is left out
 * that is confirmed already, or whose meaning Flink does not share: late rows, error rows, PROCTIME(), topics' metadata.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseScript } from "../../../src/sql/syntax/parse-script.ts";
import { caseFolder, readCase, type SqlCase } from "../../support/sql-case.ts";
import { type CaseResult, planCase, runCase, straight } from "../../support/sql-case-run.ts";
import { goldenText, splitGolden } from "../../support/sql-golden.ts";

const [act, folder = "", zone = "UTC", wants = ""] = process.argv.slice(2);
const names = readdirSync(caseFolder)
  .filter((file) => file.endsWith(".sql"))
  .map((file) => file.slice(0, -4));
if (act === "write") write();
else if (act === "compare") compare();
else console.error("write DIRECTORY [zone], or compare DIRECTORY");

function write(): void {
  const script: string[] = [];
  for (const name of names) {
    const sqlCase = readCase(name);
    if (sqlCase.timeZone !== zone || !isShared(name, sqlCase)) continue;
    if (sqlCase.script.includes("SESSION(") !== (wants === "sessions")) continue;
    script.push(`-- ${name}`, ...statementsOf(name, sqlCase));
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "script.sql"), `${script.join("\n")}\n`);
}

function isShared(name: string, { script }: SqlCase): boolean {
  const path = join(caseFolder, `${name}.golden`);
  if (!existsSync(path)) return false;
  const { header, body } = splitGolden(readFileSync(path, "utf8"));
  if (header !== "# confirmed: nobody" || /^== (late|errors)$/m.test(body)) return false;
  return !/PROCTIME|METADATA|'raw'|ALLOWED LATENESS| JSON[,)]/.test(script);
}

function statementsOf(name: string, sqlCase: SqlCase): string[] {
  const database = `c_${name.replaceAll("-", "_")}`;
  const statements = parseScript(sqlCase.script).map(({ text }) => text);
  const query = statements.pop() ?? "";
  const place = join(folder, name);
  writeInputs(place, sqlCase);
  return [
    `CREATE DATABASE ${database};`,
    `USE ${database};`,
    ...statements.map((text) => `${tableOf(text, place)};`),
    `CREATE TABLE sink WITH (${filesystem(join(place, "sink"))}) AS ${queryOf(query)};`,
  ];
}

function writeInputs(place: string, { publishes }: SqlCase): void {
  const topics = new Map<string, string[]>();
  for (const { runs } of publishes) {
    for (const { topic, records } of runs) {
      const lines = topics.get(topic) ?? [];
      for (const { value } of records) lines.push(new TextDecoder().decode(value ?? undefined));
      topics.set(topic, lines);
    }
  }
  for (const [topic, lines] of topics) {
    mkdirSync(join(place, topic), { recursive: true });
    writeFileSync(join(place, topic, "input.json"), `${lines.join("\n")}\n`);
  }
}

function filesystem(path: string): string {
  return (
    `'connector' = 'filesystem', 'path' = '${path}', 'format' = 'json', ` +
    "'json.encode.decimal-as-plain-number' = 'true'"
  );
}

function tableOf(text: string, place: string): string {
  const topic = /'topic' = '([^']+)'/.exec(text)?.[1] ?? "";
  return text
    .replace(/CREATE STREAM/i, "CREATE TABLE")
    .replace(/WITH \([^()]*\)\s*$/, `WITH (${filesystem(join(place, topic))})`);
}

function queryOf(text: string): string {
  return text
    .replace(/^[\s\S]*?CREATE MATERIALIZED VIEW \w+ AS/i, "")
    .replace(/INSERT INTO \w+( \([^)]*\))?/i, "")
    .replace(/EMIT (CHANGES|FINAL|PERIODIC INTERVAL '\d+' SECOND)\s*$/i, "")
    .replaceAll(
      /FROM (TUMBLE|HOP)\((\w+), ([\w`]+), INTERVAL '(\d+) seconds'\)/g,
      "FROM TABLE($1(TABLE $2, DESCRIPTOR($3), INTERVAL '$4' SECOND))",
    )
    .replaceAll(/FROM (TUMBLE|HOP)(\(TABLE [^;]*?SECOND\))/g, "FROM TABLE($1$2)");
}

function compare(): void {
  for (const name of names) {
    const sink = join(folder, name, "sink");
    if (!existsSync(sink)) continue;
    const theirs = readdirSync(sink)
      .filter((file) => !file.startsWith(".") && !file.startsWith("_"))
      .flatMap((file) => readFileSync(join(sink, file), "utf8").split("\n"))
      .filter((line) => line !== "")
      .map(normal)
      .sort();
    const ours = ourRows(readCase(name)).map(normal).sort();
    const same = ours.length === theirs.length && ours.every((row, at) => row === theirs[at]);
    if (same) confirm(name);
    else {
      console.log(`${name}: ${ours.length} rows here, ${theirs.length} there`);
      for (const row of ours.filter((each) => !theirs.includes(each)))
        console.log(`  here  ${row}`);
      for (const row of theirs.filter((each) => !ours.includes(each)))
        console.log(`  there ${row}`);
    }
  }
}

function ourRows(sqlCase: SqlCase): string[] {
  const query = planCase(sqlCase);
  const result = runCase(query, sqlCase, straight);
  const { body } = splitGolden(readFileSync(join(caseFolder, `${sqlCase.name}.golden`), "utf8"));
  // What is confirmed is what the golden says.
  if (body !== goldenText(result, query)) throw new Error(`The golden of ${sqlCase.name} is old`);
  return query.isAppend
    ? [...result.rows, ...result.last].map(({ value }) => value ?? "")
    : [...finalState(result).values()];
}

function finalState({ states, last }: CaseResult): Map<string, string> {
  const state = new Map(states.at(-1)?.state);
  for (const { key, value } of last) {
    if (value === null) state.delete(key ?? "");
    else state.set(key ?? "", value);
  }
  return state;
}

/** One text for numbers and times that are the same. */
function normal(row: string): string {
  return row
    .replaceAll(/(\d\d:\d\d:\d\d)\.(\d*?)0*(?=Z?")/g, (_, time: string, rest: string) =>
      rest === "" ? time : `${time}.${rest}`,
    )
    .replaceAll(/(?<=[:,[])-?\d+(\.\d+)?(E-?\d+)?(?=[,}\]])/gi, (number) =>
      /E/i.test(number) || (number.includes(".") && number.length < 18)
        ? String(Number(number))
        : number,
    );
}

function confirm(name: string): void {
  const path = join(caseFolder, `${name}.golden`);
  const { body } = splitGolden(readFileSync(path, "utf8"));
  writeFileSync(path, `# confirmed: flink 2.3\n${body}`);
}
