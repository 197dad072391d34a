/** Names that completion knows at a prompt: asked of the worker, and again after each change. */
import { functionCatalog } from "../../sql/functions/catalog.ts";
import type { CatalogNames } from "../../sql/syntax/complete.ts";
import type { ApiClient } from "../api-client.ts";
import { runSql, type SqlPrinter } from "./sql-client.ts";

/** Tables whose columns are asked for. */
const tablesMax = 200;

export class SqlNames implements CatalogNames {
  readonly #api: ApiClient;
  #columns: ReadonlyMap<string, readonly string[]> = new Map();
  #queries: readonly string[] = [];

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** Asks for all names; without an answer those of before stay. */
  async refresh(signal: AbortSignal): Promise<void> {
    try {
      const tables = await this.#ask("SHOW TABLES", "table name", signal);
      const columns = new Map<string, readonly string[]>();
      for (const table of tables.slice(0, tablesMax)) {
        const name = `\`${table.replaceAll("`", "``")}\``;
        columns.set(table, await this.#ask(`DESCRIBE ${name}`, "name", signal));
      }
      this.#columns = columns;
      this.#queries = await this.#ask("SHOW QUERIES", "query", signal);
    } catch {
      // Completion is a help: it must not be in the way of the statement that tells what is wrong.
    }
  }

  readonly tables = (): Iterable<string> => this.#columns.keys();

  readonly columns = (tables: readonly string[]): Iterable<string> =>
    tables.flatMap((table) => this.#columns.get(table) ?? []);

  readonly functions = (): Iterable<string> => functionCatalog.flatMap(({ sqlNames }) => sqlNames);

  readonly queries = (): Iterable<string> => this.#queries;

  async #ask(sql: string, column: string, signal: AbortSignal): Promise<string[]> {
    const found: string[] = [];
    const printer: SqlPrinter = {
      ...silent,
      async rows(rows) {
        for (const row of rows) {
          const value = JSON.parse(new TextDecoder().decode(row)) as Record<string, unknown>;
          if (typeof value[column] === "string") found.push(value[column]);
        }
      },
    };
    await runSql({ api: this.#api, sql, settings: {}, printer, signal });
    return found;
  }
}

const silent: Omit<SqlPrinter, "rows"> = {
  async message() {},
  async columns() {},
  async changes() {},
  async progress() {},
  async idle() {},
  async end() {},
};
