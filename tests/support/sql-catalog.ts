/** A catalog for tests: filled by statements, as a user would fill it. */
import type { Catalog, CatalogEntry } from "../../src/sql/check/catalog.ts";
import type { CheckOptions } from "../../src/sql/check/context.ts";
import { checkCreateTable } from "../../src/sql/check/create-table.ts";
import { planMaterializedView } from "../../src/sql/check/create-view.ts";
import { planInsert } from "../../src/sql/check/insert.ts";
import { planQuery } from "../../src/sql/check/plan-query.ts";
import { explain } from "../../src/sql/plan/explain.ts";
import type { QueryPlan } from "../../src/sql/plan/plan.ts";
import { parseScript } from "../../src/sql/syntax/parse-script.ts";
import { parseStatement } from "../../src/sql/syntax/parse-statement.ts";

export class TestCatalog implements Catalog {
  readonly #entries = new Map<string, CatalogEntry>();
  readonly #options: Omit<CheckOptions, "catalog">;

  constructor(script = "", options: Partial<Omit<CheckOptions, "catalog">> = {}) {
    this.#options = { timeZone: "UTC", isBounded: false, ...options };
    for (const piece of parseScript(script)) this.add(piece.text);
  }

  get options(): CheckOptions {
    return { ...this.#options, catalog: this };
  }

  lookup(name: string): CatalogEntry | undefined {
    return this.#entries.get(name);
  }

  names(): Iterable<string> {
    return this.#entries.keys();
  }

  put(entry: CatalogEntry): void {
    this.#entries.set(entry.name, entry);
  }

  add(text: string): void {
    const statement = parseStatement(text);
    if (statement.kind === "createTable") {
      this.put(checkCreateTable(statement, text, this.options));
    } else if (statement.kind === "createView") {
      const name = statement.name.parts.map((part) => part.text).join(".");
      const columns = statement.columns.map((column) => column.text);
      this.put({ kind: "view", name, columns, query: statement.query, text });
    } else if (statement.kind === "createMaterializedView") {
      this.put(planMaterializedView(statement, text, this.options).entry);
    } else throw new Error(`The test catalog has no use for ${statement.kind}`);
  }

  plan(text: string): QueryPlan {
    const statement = parseStatement(text);
    if (statement.kind === "query") return planQuery(statement.query, text, this.options);
    if (statement.kind === "insert") return planInsert(statement, text, this.options).plan;
    throw new Error(`The test catalog does not plan ${statement.kind}`);
  }

  explain(text: string): string {
    return explain(this.plan(text));
  }

  /** The complaint about a statement, with its place. */
  complaint(text: string): string {
    try {
      const statement = parseStatement(text);
      if (statement.kind === "createTable") checkCreateTable(statement, text, this.options);
      else this.plan(text);
    } catch (cause) {
      return cause instanceof Error ? cause.message : String(cause);
    }
    throw new Error(`No complaint about ${text}`);
  }
}
