/** Metadata databases for benchmarks: an embedded file, a given libSQL server, or one of our own. */
import { join } from "node:path";
import type { BenchContext } from "../benchmark.ts";
import type { BenchOptions } from "./options.ts";
import { freePorts, Program, removeFolder, temporaryFolder } from "./processes.ts";

/** Whether a libSQL server was named, by address or as a program. */
export function hasServer(options: BenchOptions): boolean {
  return options.metadata !== undefined || options.sqld !== undefined;
}

/** Runs `use` with the URL of an empty database on a libSQL server. */
export async function withMetadataServer<T>(
  { options }: BenchContext,
  use: (url: string) => Promise<T>,
): Promise<T> {
  if (options.metadata !== undefined) return await use(options.metadata);
  if (options.sqld === undefined) {
    throw new Error(
      "This needs a libSQL server: name a program with --sqld, or an empty database with --metadata",
    );
  }
  const folder = temporaryFolder(options.folder);
  const [port = 0] = await freePorts(1);
  const listen = ["--http-listen-addr", `127.0.0.1:${port}`];
  const database = ["--db-path", join(folder, "data"), "--no-welcome"];
  const server = new Program([options.sqld, ...listen, ...database], {
    logPath: join(folder, "sqld.log"),
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    await server.waitUntil(async () => (await fetch(`${url}/health`)).ok);
    return await use(url);
  } finally {
    await server.stop();
    removeFolder(folder);
  }
}
