/**
 * The SQL objects of the namespace as the checker asks for them. What the metadata keeps of each is
 * what the checker found when it was made, so that a newer checker never reads an old statement
 * otherwise; a view alone is kept as text, since it means what its tables mean now.
 */
import { StreamError } from "../base/stream-error.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import {
  type QueryRow,
  readSqlCatalog,
  type SqlObject,
  type SqlObjectKind,
} from "../meta/sql-objects.ts";
import type { Catalog, CatalogEntry, StreamEntry } from "../sql/check/catalog.ts";
import { objectFromText, objectToText } from "../sql/plan/plan-text.ts";
import { parseStatement } from "../sql/syntax/parse-statement.ts";

export interface SqlCatalogState {
  readonly catalogVersion: number;
  readonly objects: ReadonlyMap<string, SqlObject>;
  readonly queries: readonly QueryRow[];
}

export async function loadSqlCatalog(database: SqlDatabase): Promise<SqlCatalogState> {
  const { catalogVersion, objects, queries } = await readSqlCatalog(database);
  return { catalogVersion, queries, objects: new Map(objects.map((each) => [each.name, each])) };
}

/** The checker's port over what was loaded. */
export function catalogOf(state: SqlCatalogState): Catalog {
  const entries = new Map<string, CatalogEntry>();
  return {
    lookup(name) {
      const known = entries.get(name);
      const object = state.objects.get(name);
      if (known !== undefined || object === undefined) return known;
      const entry = entryOf(object);
      entries.set(name, entry);
      return entry;
    },
    names: () => state.objects.keys(),
  };
}

export const objectKinds: Readonly<Record<CatalogEntry["kind"], SqlObjectKind>> = {
  stream: "stream",
  table: "table",
  view: "view",
  "materialized view": "materialized_view",
};

/** What the metadata keeps of a stream, a table or a materialized view. */
export function encodeStreamEntry(entry: StreamEntry): string {
  return objectToText({ version: 1, entry });
}

interface StoredEntry {
  readonly version: number;
  readonly entry: StreamEntry;
}

function entryOf(object: SqlObject): CatalogEntry {
  if (object.kind === "view") return viewOf(object);
  const { version, entry } = objectFromText(object.definition) as StoredEntry;
  if (version === 1) return entry;
  throw new StreamError(
    "corrupt_metadata",
    `Cannot read the definition of "${object.name}": it is of version ${version}, written by a ` +
      "newer program",
  );
}

function viewOf({ name, statement: text }: SqlObject): CatalogEntry {
  const statement = parseStatement(text);
  if (statement.kind !== "createView") {
    throw new StreamError("corrupt_metadata", `Cannot read the view "${name}": ${text}`);
  }
  const columns = statement.columns.map((each) => each.text);
  return { kind: "view", name, columns, query: statement.query, text };
}
