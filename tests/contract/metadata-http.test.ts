/** The metadata contract over HTTP; on sqld itself it is run in interop. */
import { afterAll } from "bun:test";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { migrate } from "../../src/meta/migrate.ts";
import { openMetadata } from "../../src/runtime/node/libsql-open.ts";
import { metadataContract } from "./metadata.ts";

const server = startLibsqlHttpServer();
afterAll(() => server.close());

metadataContract("libSQL over HTTP", async () => {
  const database = await openMetadata({ url: server.url, authToken: null, fsync: true });
  await migrate(database);
  return { database, close: () => database.close() };
});
