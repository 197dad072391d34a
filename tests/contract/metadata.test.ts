import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "../../src/meta/migrate.ts";
import { openMetadata } from "../../src/runtime/node/libsql-open.ts";
import { metadataContract } from "./metadata.ts";

metadataContract("embedded file", async () => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-metadata-"));
  const url = `file:${join(directory, "meta.db")}`;
  const database = await openMetadata({ url, authToken: null, fsync: false });
  await migrate(database);
  return {
    database,
    close: async () => {
      await database.close();
      rmSync(directory, { recursive: true });
    },
  };
});
