/** Opens the metadata database that the settings name. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { StreamError } from "../../base/stream-error.ts";
import type { SqlDatabase } from "../../meta/sql-database.ts";
import type { Settings } from "../settings.ts";
import { openMetadata } from "./libsql-open.ts";

/**
 * Opens it; a file is made with its folder when there is none. Errors: `metadata_unavailable`, with
 * `details.owned` when another process has the file.
 */
export async function openDatabase(
  settings: Pick<Settings, "metadata" | "metadataToken" | "fsync">,
): Promise<SqlDatabase> {
  const { metadata, metadataToken, fsync } = settings;
  switch (metadata.kind) {
    case "memory":
      return await openPassingFile();
    case "file":
      await makeFolder(dirname(metadata.path));
      return await openMetadata({ url: `file:${metadata.path}`, authToken: null, fsync });
    case "server":
      return await openMetadata({ url: metadata.url, authToken: metadataToken ?? null, fsync });
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `Cannot make the folder ${folder} of the metadata: ${why}`;
    throw new StreamError("metadata_unavailable", message, { cause: error });
  }
}

/** A file that goes with the process: libSQL's own `:memory:` is one database per connection. */
async function openPassingFile(): Promise<SqlDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-"));
  const path = join(folder, "metadata.db");
  const database = await openMetadata({ url: `file:${path}`, authToken: null, fsync: false });
  return {
    description: "memory (nothing survives this process)",
    batch: (statements, mode) => database.batch(statements, mode),
    async close() {
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
