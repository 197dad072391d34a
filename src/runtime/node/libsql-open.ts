import { StreamError } from "../../base/stream-error.ts";
import type { SqlDatabase } from "../../meta/sql-database.ts";
import { openLibsqlFile } from "./libsql-file.ts";

export interface MetadataOptions {
  /** `file:PATH`, `http(s)://…` or `libsql://…`. */
  readonly url: string;
  readonly authToken: string | null;
  /** For a file: survive power loss. A server decides that for itself. */
  readonly fsync: boolean;
}

const serverTimeoutMs = 10_000;

/** Opens the database that a URL names. Errors: `invalid_request`, `metadata_unavailable`. */
export async function openMetadata(options: MetadataOptions): Promise<SqlDatabase> {
  const { url, authToken, fsync } = options;
  if (url.startsWith("file:")) return openLibsqlFile({ path: filePath(url), fsync });
  if (/^(https?|libsql):\/\//.test(url)) {
    // Whoever has a file starts without the client of a server.
    const { openLibsqlServer } = await import("./libsql-server.ts");
    return openLibsqlServer({ url, authToken, timeoutMs: serverTimeoutMs });
  }
  throw new StreamError(
    "invalid_request",
    `Cannot open metadata ${JSON.stringify(url)}: expected file:PATH, http://, https:// or ` +
      "libsql://",
  );
}

function filePath(url: string): string {
  return url.slice("file:".length).replace(/^\/\/(?=\/)/, "");
}
