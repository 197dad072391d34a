/**
 * A case of `tests/golden/sql`: one `.sql` file with what is run and what is read.
 *
 *     -- What it shows.
 *     -- input: bids                      begin with the text of inputs/bids.sql
 *     -- nexmark: 2000 7                  events of the generator, and a seed; read by tables of "nexmark"
 *     -- option: table.local-time-zone = Europe/Berlin
 *     CREATE STREAM …; CREATE VIEW …;
 *     SELECT …                            the last statement is the query
 *     /* publishes
 *     @ 00:00:03 bids/0                   publishedAt (of 2026-01-01, or a whole timestamp), topic/partition
 *     {"auction":1}                       a record each; its timestamp is publishedAt
 *     ~ {"key":"a","timestamp":5,"headers":{"h":"x"}} {"auction":2}     with a key and so on
 *     ~ {"value":null}                    a tombstone
 *     + bids/1                            another partition's records in the same publish
 *     = v 00:00:08 idle                   a commit in it: the watermark of the view's rows, and who holds
 *     @ 00:00:09 tick                     a publish without rows
 *     @ 00:00:09 commit                   a publish without rows, with commits
 *     @ 00:00:10 new bids/2               a partition that exists from this publish on
 *     *\/
 *
 * Partitions that no `new` makes exist from the beginning. `partitions: 3` in a comment gives every
 * topic three of them even where nothing is published.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nexmarkEvents } from "../../bench/support/nexmark/delays.ts";
import type { RecordInput } from "../../src/record/batch-encode.ts";
import { activity, type CommittedTime } from "../../src/sql/time/event-time.ts";

export interface CaseRun {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly RecordInput[];
}

export interface CasePublish {
  readonly publishedAt: number;
  readonly runs: readonly CaseRun[];
  readonly created: readonly { readonly topic: string; readonly partition: number }[];
  readonly committed?: readonly CaseCommit[];
}

type CaseCommit = CommittedTime & { readonly topic: string };

export interface SqlCase {
  readonly name: string;
  /** Statements, the query last. */
  readonly script: string;
  readonly timeZone: string;
  readonly quietTimeoutMs: number;
  readonly isBounded: boolean;
  readonly publishes: readonly CasePublish[];
  /** Partitions that exist from the beginning. */
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
}

const encoder = new TextEncoder();
export const caseFolder = join(import.meta.dirname, "../golden/sql");

export function readCase(name: string): SqlCase {
  return parseCase(name, readFileSync(join(caseFolder, `${name}.sql`), "utf8"));
}

export function parseCase(name: string, text: string): SqlCase {
  const included = directives(text, "input").map((input) =>
    readFileSync(join(caseFolder, "inputs", `${input}.sql`), "utf8"),
  );
  const whole = [...included, text].join("\n");
  const blocks = [...whole.matchAll(/\/\* publishes\n([\s\S]*?)\*\//g)].map(
    (each) => each[1] ?? "",
  );
  const publishes = blocks.flatMap(parsePublishes);
  for (const spec of directives(whole, "nexmark")) publishes.push(...nexmarkPublishes(spec));
  const options = new Map(
    directives(whole, "option").map((each) => {
      const [key = "", value = ""] = each.split("=").map((part) => part.trim());
      return [key, value] as const;
    }),
  );
  return {
    name,
    script: whole.replace(/\/\* publishes\n[\s\S]*?\*\//g, "").trim(),
    timeZone: options.get("table.local-time-zone") ?? "UTC",
    quietTimeoutMs: Number(options.get("quiet-timeout-ms") ?? 60_000),
    isBounded: options.get("bounded") === "true",
    publishes,
    partitions: partitionsOf(publishes, Number(directives(whole, "partitions")[0] ?? 1)),
  };
}

function directives(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`^-- ${name}: (.*)$`, "gm"))].map((each) => each[1] ?? "");
}

function partitionsOf(publishes: readonly CasePublish[], count: number) {
  const places = new Map<string, { topic: string; partition: number }>();
  const made = new Set<string>();
  for (const { runs, created } of publishes) {
    for (const { topic, partition } of created) made.add(`${topic}/${partition}`);
    for (const { topic, partition } of runs) {
      for (const each of [partition, ...Array(count).keys()]) {
        places.set(`${topic}/${each}`, { topic, partition: each });
      }
    }
  }
  for (const each of made) places.delete(each);
  return [...places.keys()].sort().map((each) => places.get(each) ?? { topic: "", partition: 0 });
}

function parsePublishes(block: string): CasePublish[] {
  const publishes: {
    publishedAt: number;
    runs: { topic: string; partition: number; records: RecordInput[] }[];
    created: { topic: string; partition: number }[];
    committed: CaseCommit[];
  }[] = [];
  for (const line of block.split("\n")) {
    if (line === "") continue;
    const last = publishes.at(-1);
    if (line.startsWith("@ ")) {
      const [, at = "", what = "", made = ""] = line.split(" ");
      const isBare = ["tick", "new", "commit"].includes(what);
      const runs = isBare ? [] : [{ ...placeOf(what), records: [] }];
      const created = what === "new" ? [placeOf(made)] : [];
      publishes.push({ publishedAt: timeOf(at), runs, created, committed: [] });
    } else if (last === undefined) throw new Error(`Before the first publish: ${line}`);
    else if (line.startsWith("= ")) last.committed.push(commitOf(line));
    else if (line.startsWith("+ ")) last.runs.push({ ...placeOf(line.slice(2)), records: [] });
    else last.runs.at(-1)?.records.push(recordOf(line, last.publishedAt));
  }
  return publishes;
}

function commitOf(line: string): CaseCommit {
  const [, topic = "", watermark = "", says = "awaited"] = line.split(" ");
  const found = Object.entries(activity).find(([name]) => name === says);
  if (found === undefined) throw new Error(`Nobody says ${says}`);
  return { topic, watermark: timeOf(watermark), activity: found[1] };
}

function placeOf(text: string) {
  const [topic = "", partition = "0"] = text.split("/");
  return { topic, partition: Number(partition) };
}

function timeOf(text: string): number {
  const at = Date.parse(text.includes("T") ? `${text}Z` : `2026-01-01T${text}Z`);
  if (Number.isNaN(at)) throw new Error(`No time: ${text}`);
  return at;
}

interface RecordExtra {
  readonly key?: string;
  readonly timestamp?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly value?: null;
}

function recordOf(line: string, publishedAt: number): RecordInput {
  if (!line.startsWith("~ ")) {
    return { timestamp: publishedAt, key: null, value: encoder.encode(line) };
  }
  const end = endOfObject(line, 2);
  const extra = JSON.parse(line.slice(2, end)) as RecordExtra;
  const headers = Object.entries(extra.headers ?? {}).map(([key, value]) => ({
    ...{ key, value: encoder.encode(value) },
  }));
  return {
    timestamp: extra.timestamp ?? publishedAt,
    key: extra.key === undefined ? null : encoder.encode(extra.key),
    value: extra.value === null ? null : encoder.encode(line.slice(end + 1)),
    headers,
  };
}

/** Behind the object that begins at `start`, which has no braces in its strings. */
function endOfObject(line: string, start: number): number {
  let depth = 0;
  for (let at = start; at < line.length; at++) {
    if (line[at] === "{") depth += 1;
    if (line[at] === "}" && --depth === 0) return at + 1;
  }
  throw new Error(`An object does not end: ${line}`);
}

/** Publishes of 100 events each, published a second behind their last event. */
function nexmarkPublishes(spec: string): CasePublish[] {
  const [count = 0, seed = 0] = spec.split(" ").map(Number);
  const options = { seed, eventsPerSecond: 50, delayProbability: 0.1, delayMsMax: 3_000 };
  const publishes: CasePublish[] = [];
  let records: RecordInput[] = [];
  let publishedAt = 0;
  const publish = () => {
    const runs = [{ topic: "nexmark", partition: publishes.length % 2, records }];
    publishes.push({ publishedAt, runs, created: [], committed: [] });
    records = [];
  };
  for (const { json, eventTimeMs } of nexmarkEvents(options, count)) {
    publishedAt = Math.max(publishedAt, eventTimeMs + 1_000);
    records.push({ timestamp: eventTimeMs, key: null, value: json.slice() });
    if (records.length === 100) publish();
  }
  if (records.length > 0) publish();
  return publishes;
}
