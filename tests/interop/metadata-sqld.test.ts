/** The metadata contract over a libSQL server: sqld, or the one at MILLRACE_TEST_SQLD. */
import { afterAll } from "bun:test";
import { migrate } from "../../src/meta/migrate.ts";
import { openMetadata } from "../../src/runtime/node/libsql-open.ts";
import { metadataContract } from "../contract/metadata.ts";
import { startSqld } from "./support/sqld.ts";

const url = process.env["MILLRACE_TEST_SQLD"] ?? (await ownServer());

metadataContract("libSQL server", async () => {
  const database = await openMetadata({ url, authToken: null, fsync: true });
  await migrate(database);
  return { database, close: () => database.close() };
});

async function ownServer(): Promise<string> {
  const sqld = await startSqld();
  afterAll(async () => await sqld.stop());
  return sqld.url;
}
