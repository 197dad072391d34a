/**
 * What could be typed next, for a prompt: the parser reads the statement up to the word at the
 * cursor and tells what it looked for at the end; names come from the caller's catalog.
 */
import { nameText } from "./format-parts.ts";
import { tokenize } from "./lexer.ts";
import { completionsMax } from "./limits.ts";
import { statementWords, wantedAfter } from "./parse-statement.ts";
import { typeNames } from "./parse-type.ts";
import type { Token } from "./token.ts";

export interface CatalogNames {
  /** Streams, tables and views. */
  readonly tables: () => Iterable<string>;
  /** Columns of the named tables, of those that exist. */
  readonly columns: (tables: readonly string[]) => Iterable<string>;
  readonly functions: () => Iterable<string>;
  /** Ids of running queries. */
  readonly queries: () => Iterable<string>;
}

export interface Completion {
  /** Where the text that a candidate replaces begins; it ends at the cursor. */
  readonly start: number;
  /** Names first, then keywords; names are quoted where they must be. */
  readonly candidates: readonly string[];
}

const none = (position: number): Completion => ({ start: position, candidates: [] });

/** Candidates at `position` of `text`, a script whose last statements need not be whole. */
export function complete(text: string, position: number, names: CatalogNames): Completion {
  const before = text.slice(0, position);
  const typed = /[\p{L}_][\p{L}\p{Nd}\p{M}_$]*$/u.exec(before)?.[0] ?? "";
  const start = position - typed.length;
  const head = statementHead(before.slice(0, start));
  if (head === null) return none(position);
  const tables = tablesIn(tokenize(text.slice(start - head.text.length)));
  const found = candidatesAfter(head, tables, names);
  const isLower = typed !== "" && typed === typed.toLowerCase();
  const wanted = typed.toUpperCase();
  const candidates: string[] = [];
  for (const { text: candidate, isKeyword } of found) {
    if (!candidate.toUpperCase().startsWith(wanted)) continue;
    const shown = isKeyword
      ? isLower
        ? candidate.toLowerCase()
        : candidate
      : nameText({ text: candidate, isQuoted: false, at: { start: 0, end: 0 } });
    if (!candidates.includes(shown)) candidates.push(shown);
    if (candidates.length === completionsMax) break;
  }
  return { start, candidates };
}

interface Head {
  /** The statement up to the word at the cursor. */
  readonly text: string;
  readonly tokens: readonly Token[];
}

/** Null inside a string, a quoted name or a comment. */
function statementHead(before: string): Head | null {
  const tokens = tokenize(before);
  if (tokens.some((token) => token.kind === "bad")) return null;
  const words = tokens.slice(0, -1);
  const gap = before.slice(words.at(-1)?.end ?? 0);
  if (/--[^\n]*$/.test(gap)) return null;
  const cut = words.findLastIndex((token) => token.kind === "symbol" && token.text === ";");
  const from = cut < 0 ? 0 : (words[cut]?.end ?? 0);
  return { text: before.slice(from), tokens: words.slice(cut + 1) };
}

interface Candidate {
  readonly text: string;
  readonly isKeyword: boolean;
}

function* candidatesAfter(
  { text, tokens }: Head,
  tables: ReadonlyMap<string, string>,
  names: CatalogNames,
): Iterable<Candidate> {
  const last = tokens.at(-1);
  if (last === undefined) {
    yield* keywords(statementWords);
    return;
  }
  if (last.text === "." && last.kind === "symbol") {
    const owner = tokens.at(-2);
    const table = owner === undefined ? undefined : tables.get(owner.text.toUpperCase());
    if (table !== undefined) yield* plain(names.columns([table]));
    return;
  }
  for (const want of wantedAfter(text) ?? []) yield* candidatesFor(want, last, tables, names);
}

const expressionWords = ["CASE", "CAST", "EXISTS", "FALSE", "INTERVAL", "NOT", "NULL", "TRUE"];
const operatorWords = ["AND", "BETWEEN", "IN", "IS", "LIKE", "NOT", "OR"];
const tableFunctions = ["CUMULATE", "HOP", "SESSION", "TUMBLE"];

/** `want` is what the parser calls it: a keyword, or words such as "a table name". */
function* candidatesFor(
  want: string,
  last: Token,
  tables: ReadonlyMap<string, string>,
  names: CatalogNames,
): Iterable<Candidate> {
  switch (want) {
    case "an expression":
      yield* plain(names.columns([...new Set(tables.values())]));
      yield* plain(names.functions());
      if (last.upper === "SELECT") yield* keywords(["DISTINCT"]);
      yield* keywords(expressionWords);
      return;
    case "a column name":
      yield* plain(names.columns([...new Set(tables.values())]));
      return;
    case "a table name":
    case "a stream name":
    case "a view name":
    case "a materialized view name":
    case "a name":
      yield* plain(names.tables());
      if (["FROM", "JOIN"].includes(last.upper)) yield* keywords(tableFunctions);
      return;
    case "a table such as TABLE bids":
      yield* keywords(["TABLE"]);
      yield* plain(names.tables());
      return;
    case "the id of a query":
      yield* plain(names.queries());
      return;
    case "a type":
      yield* keywords(typeNames);
      return;
    case "an operator":
      yield* keywords(operatorWords);
      return;
    default:
      if (/^[A-Z_]+( [A-Z_]+)*$/.test(want)) yield* keywords([want]);
  }
}

function* keywords(words: Iterable<string>): Iterable<Candidate> {
  for (const text of words) yield { text, isKeyword: true };
}

function* plain(words: Iterable<string>): Iterable<Candidate> {
  for (const text of words) yield { text, isKeyword: false };
}

/**
 * The tables of the statement at its beginning, by alias and by name in capitals: found by the
 * words before them, since a statement that is being written does not parse.
 */
function tablesIn(tokens: readonly Token[]): ReadonlyMap<string, string> {
  const tables = new Map<string, string>();
  for (const [index, token] of tokens.entries()) {
    if (token.kind === "symbol" && token.text === ";") break;
    const opensList = ["FROM", "JOIN", "INTO", "TABLE"].includes(token.upper);
    if (token.kind !== "word" || !opensList) continue;
    const name = tokens[index + 1];
    if (name === undefined || !isNameToken(name)) continue;
    tables.set(name.text.toUpperCase(), name.text);
    const next = tokens[index + 2];
    const alias = next?.upper === "AS" ? tokens[index + 3] : next;
    if (alias !== undefined && isNameToken(alias)) tables.set(alias.text.toUpperCase(), name.text);
  }
  return tables;
}

function isNameToken({ kind }: Token): boolean {
  return kind === "word" || kind === "quoted";
}
