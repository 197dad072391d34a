/**
 * Where the parser stands in the tokens, what could have stood there, and how it complains. The
 * rules that need each other (an expression holds queries, a query holds expressions) meet through
 * `grammar`, so that their files do not import each other.
 */

import { nearest } from "../../base/near.ts";
import { canBeAlias } from "./alias.ts";
import type { Expression, OverWindow, Query, SortItem, StringLiteral } from "./ast.ts";
import { describe, keywordsOf, oneOf, openParenthesis } from "./complaint.ts";
import { clauseWords, foreignSymbols, reservedWords, unsupportedWords } from "./keywords.ts";
import { nestingDepthMax } from "./limits.ts";
import type { AstNode, Identifier, NamePath, Span } from "./node.ts";
import { placeOf, SqlError, type SqlErrorCode } from "./sql-error.ts";
import type { Token } from "./token.ts";

export interface Grammar {
  readonly expression: (cursor: Cursor) => Expression;
  /** An operand of BETWEEN: what binds tighter than comparisons, so that AND ends it. */
  readonly addend: (cursor: Cursor) => Expression;
  /** A query without EMIT, as in a subquery. */
  readonly query: (cursor: Cursor) => Query;
  readonly sortItems: (cursor: Cursor) => SortItem[];
  readonly overWindow: (cursor: Cursor) => OverWindow;
}

export class Cursor {
  readonly text: string;
  readonly grammar: Grammar;
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;
  /** What was looked for at the current token, in the order of the looking. */
  #wanted: string[] = [];
  /** Index of the last token taken as an alias without AS: it may have been a mistyped clause. */
  #aliasIndex = -1;

  constructor(text: string, tokens: readonly Token[], grammar: Grammar) {
    this.text = text;
    this.#tokens = tokens;
    this.grammar = grammar;
  }

  get token(): Token {
    return this.peek(0);
  }

  /** The token `count` places on; past the end, the end. */
  peek(count: number): Token {
    const token = this.#tokens[this.#index + count] ?? this.#tokens[this.#tokens.length - 1];
    if (token === undefined) throw new Error("a token list ends with an end token");
    return token;
  }

  advance(): Token {
    const { token } = this;
    if (token.kind === "bad") this.fail();
    if (token.kind !== "end") this.#index++;
    this.#wanted = [];
    return token;
  }

  /** From `start`, a node's or token's, to the end of the last token taken. */
  spanFrom(start: number | Token | AstNode): Span {
    const from = typeof start === "number" ? start : "at" in start ? start.at.start : start.start;
    const last = this.#tokens[this.#index - 1];
    return { start: from, end: Math.max(from, last?.end ?? from) };
  }

  /** Call on the way into a rule that can hold itself, and `leave` on the way out. */
  enter(): void {
    if (++this.#depth <= nestingDepthMax) return;
    throw this.error("sql_too_large", this.token, {
      problem: `more than ${nestingDepthMax} levels of nesting; use WITH or a view`,
    });
  }

  leave(): void {
    this.#depth--;
  }

  // ── Looking ───────────────────────────────────────────────────────────────────────────────────

  isWord(word: string, count = 0): boolean {
    const token = this.peek(count);
    return token.kind === "word" && token.upper === word;
  }

  isAnyWord(words: readonly string[], count = 0): boolean {
    const token = this.peek(count);
    return token.kind === "word" && words.includes(token.upper);
  }

  isSymbol(symbol: string, count = 0): boolean {
    const token = this.peek(count);
    return token.kind === "symbol" && token.text === symbol;
  }

  /** Tells whether a name could begin here; `(` after a word makes it a call. */
  isName(count = 0): boolean {
    const token = this.peek(count);
    return token.kind === "quoted" || (token.kind === "word" && !reservedWords.has(token.upper));
  }

  /** Notes what could stand here, for the complaint if nothing does. */
  want(what: string): void {
    if (!this.#wanted.includes(what)) this.#wanted.push(what);
  }

  get wanted(): readonly string[] {
    return this.#wanted;
  }

  // ── Taking ────────────────────────────────────────────────────────────────────────────────────

  acceptWord(word: string): boolean {
    if (this.isWord(word)) {
      this.advance();
      return true;
    }
    this.want(word);
    return false;
  }

  /** The same for words that are not worth a mention in the complaint when they are not there. */
  skipAnyWord<T extends string>(...words: T[]): T | null {
    const found = words.find((word) => this.isWord(word)) ?? null;
    if (found !== null) this.advance();
    return found;
  }

  /** All of `words` or none. */
  acceptWords(...words: string[]): boolean {
    if (words.every((word, count) => this.isWord(word, count))) {
      for (const _ of words) this.advance();
      return true;
    }
    this.want(words.join(" "));
    return false;
  }

  /** The first of `words` that stands here. */
  acceptAnyWord<T extends string>(...words: T[]): T | null {
    for (const word of words) if (this.acceptWord(word)) return word;
    return null;
  }

  acceptSymbol(symbol: string): boolean {
    if (this.isSymbol(symbol)) {
      this.advance();
      return true;
    }
    this.want(symbol);
    return false;
  }

  expectWord(...words: string[]): void {
    for (const word of words) if (!this.acceptWord(word)) this.fail();
  }

  expectAnyWord<T extends string>(...words: T[]): T {
    return this.acceptAnyWord(...words) ?? this.fail();
  }

  expectSymbol(symbol: string): void {
    if (!this.acceptSymbol(symbol)) this.fail();
  }

  /** `what` says whose name: "a column name". */
  identifier(what: string): Identifier {
    if (this.isName()) return this.takeIdentifier();
    this.want(what);
    const { token } = this;
    if (token.kind === "word") {
      const problem = `expected ${what}, found ${token.text}, a reserved word`;
      throw this.error("sql_syntax", token, {
        problem: `${problem}; as a name it needs quotes`,
        suggestion: `\`${token.text}\``,
      });
    }
    if (token.kind === "string" && token.text !== "") {
      throw this.error("sql_syntax", token, {
        problem: `expected ${what}, found a string; names take backquotes or none`,
        suggestion: `\`${token.text.slice(0, 40).replaceAll("`", "``")}\``,
      });
    }
    return this.fail();
  }

  takeIdentifier(): Identifier {
    const token = this.advance();
    return { text: token.text, isQuoted: token.kind === "quoted", at: spanOf(token) };
  }

  /** After a dot every word is a name. */
  identifierAfterDot(): Identifier {
    if (this.token.kind === "word") return this.takeIdentifier();
    return this.identifier("a name after the dot");
  }

  path(what: string): NamePath {
    const first = this.identifier(what);
    const parts = [first];
    while (this.isSymbol(".")) {
      this.advance();
      parts.push(this.identifierAfterDot());
    }
    return { parts, at: this.spanFrom(first) };
  }

  string(what: string): StringLiteral {
    const { token } = this;
    if (token.kind === "string") {
      this.advance();
      return { kind: "string", value: token.text, at: spanOf(token) };
    }
    this.want(what);
    const isNear = token.kind === "word" || token.kind === "quoted" || token.kind === "number";
    if (!isNear) return this.fail();
    throw this.error("sql_syntax", token, {
      problem: `expected ${what}, found ${describe(token)}; strings take single quotes`,
      suggestion: `'${token.text.slice(0, 40).replaceAll("'", "''")}'`,
    });
  }

  /** An integer from 0 to `max`. */
  count(what: string, max: number): number {
    const { token } = this;
    this.want(what);
    if (token.kind !== "number") return this.fail();
    const value = Number(token.text);
    const isWhole = /^\d+$/.test(token.text);
    if (!isWhole || value > max) {
      const problem = `expected ${what}, found ${token.text.slice(0, 40)}`;
      const remedy = isWhole ? `; at most ${max} is taken` : "; it is a whole number";
      throw this.error("sql_syntax", token, { problem: problem + remedy });
    }
    this.advance();
    return value;
  }

  /** `AS name`, or a bare name that begins no clause; null when there is none. */
  alias(what: string): Identifier | null {
    if (this.acceptWord("AS")) return this.identifier(what);
    const { token } = this;
    if (token.kind === "word" && !canBeAlias(token.upper)) return null;
    if (!this.isName()) return null;
    this.#aliasIndex = this.#index;
    return this.takeIdentifier();
  }

  /** `item, item, …`: at least one. */
  list<T>(item: (cursor: this) => T): T[] {
    const items = [item(this)];
    while (this.acceptSymbol(",")) items.push(item(this));
    return items;
  }

  /** `(item, …)`. */
  listInParentheses<T>(item: (cursor: this) => T): T[] {
    this.expectSymbol("(");
    const items = this.list(item);
    this.expectSymbol(")");
    return items;
  }

  // ── Complaining ───────────────────────────────────────────────────────────────────────────────

  /** Complains of the current token, by all that was wanted there. */
  fail(): never {
    const { token } = this;
    if (token.kind === "bad") throw this.error("sql_syntax", token, { problem: token.text });
    const known =
      token.kind === "word" ? unsupportedWords.get(token.upper) : foreignSymbols.get(token.text);
    if (known !== undefined && (token.kind === "word" || token.kind === "symbol")) {
      throw this.error("sql_unsupported", token, { problem: known });
    }
    const slip = this.#mistypedClause() ?? this.#tornString();
    if (slip !== null) throw slip;
    const wanted = [...this.#wanted];
    const near = token.kind === "word" ? nearest(token.text, keywordsOf(wanted)) : null;
    const found = `${describe(token)}${this.#opened()}`;
    const problem = `expected ${oneOf(wanted)}${this.#after()}, found ${found}`;
    throw this.error("sql_syntax", token, { problem, suggestion: near });
  }

  #after(): string {
    const isLone = this.#wanted.length === 1 && this.#tokens[this.#index - 1]?.text === ",";
    return isLone ? " after the comma" : "";
  }

  /** A parenthesis that was opened lines ago is worth a mention. */
  #opened(): string {
    if (!this.#wanted.includes(")")) return "";
    const open = openParenthesis(this.#tokens, this.#index);
    if (open === null || !this.text.slice(open.start, this.token.start).includes("\n")) return "";
    const { line, column } = placeOf(this.text, open.start);
    return `; the ( of line ${line}, column ${column} is not closed`;
  }

  /** `'it's'` is a string with a word at its heels. */
  #tornString(): SqlError | null {
    const last = this.#tokens[this.#index - 1];
    const isTorn = last?.kind === "string" && last.end === this.token.start;
    if (!isTorn || this.token.kind !== "word") return null;
    const at = { start: last.start, end: last.end };
    const problem = "this string ends before a word; a quote in it is written twice: 'it''s'";
    return this.error("sql_syntax", at, { problem });
  }

  unsupported(at: Token | AstNode | Span, problem: string): never {
    throw this.error("sql_unsupported", at, { problem });
  }

  invalid(at: Token | AstNode | Span, problem: string, suggestion?: string): never {
    throw this.error("sql_syntax", at, { problem, suggestion: suggestion ?? null });
  }

  error(
    code: SqlErrorCode,
    at: Token | AstNode | Span,
    { problem, suggestion = null }: { problem: string; suggestion?: string | null },
  ): SqlError {
    const { start, end } = "at" in at ? at.at : at;
    // The end of the text may lie lines below its last word, which is where something is missing.
    const isEnd = "kind" in at && at.kind === "end";
    const place = isEnd ? this.spanFrom(this.#tokens[this.#index - 1]?.end ?? 0) : { start, end };
    return new SqlError({ code, text: this.text, at: place, problem, suggestion });
  }

  /** `FROM bids WHER price > 1`: the alias WHER before the token that does not fit. */
  #mistypedClause(): SqlError | null {
    const alias = this.#tokens[this.#aliasIndex];
    if (alias === undefined || this.#aliasIndex !== this.#index - 1) return null;
    const near = alias.kind === "word" ? nearest(alias.text, clauseWords) : null;
    if (near === null) return null;
    const problem = `expected ${near}, found ${describe(alias)}`;
    return this.error("sql_syntax", alias, { problem, suggestion: near });
  }
}

function spanOf({ start, end }: Token): Span {
  return { start, end };
}
