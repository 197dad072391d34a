/**
 * The SQL catalog as this worker knows it, read again only when it has changed: statements that
 * come a thousand times a second ask for it each time. What a peer changes shows with `log.sync`.
 */
import type { Log } from "../log/log.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import type { Catalog } from "../sql/check/catalog.ts";
import { catalogOf, loadSqlCatalog, type SqlCatalogState } from "./sql-catalog.ts";

export interface KnownCatalog {
  readonly state: SqlCatalogState;
  readonly catalog: Catalog;
}

export interface CatalogCacheParts {
  readonly database: SqlDatabase;
  readonly log: Pick<Log, "sync" | "onCatalogChange">;
}

export class CatalogCache {
  readonly #parts: CatalogCacheParts;
  #known: KnownCatalog | null = null;
  /** Goes up with every change: what was asked for before it is not kept after it. */
  #changes = 0;

  constructor(parts: CatalogCacheParts) {
    this.#parts = parts;
    parts.log.onCatalogChange(() => this.forget());
  }

  /** The same object as long as nothing has changed. */
  async get(): Promise<KnownCatalog> {
    await this.#parts.log.sync();
    if (this.#known !== null) return this.#known;
    const before = this.#changes;
    const state = await loadSqlCatalog(this.#parts.database);
    const known: KnownCatalog = { state, catalog: catalogOf(state) };
    if (before === this.#changes) this.#known = known;
    return known;
  }

  /** A statement of this worker has changed it. */
  forget(): void {
    this.#changes += 1;
    this.#known = null;
  }
}
