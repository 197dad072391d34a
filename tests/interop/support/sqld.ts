/** sqld, the libSQL server, as the metadata of a test: an empty database in a temporary folder. */
import { join } from "node:path";
import { freePorts, RunningProgram, temporaryFolder } from "../../support/processes.ts";
import { sqldProgram } from "./programs.ts";

export interface Sqld {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

export async function startSqld(): Promise<Sqld> {
  const program = await sqldProgram();
  const folder = temporaryFolder("sqld");
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const listen = ["--http-listen-addr", `127.0.0.1:${port}`];
  const command = [program, ...listen, "--db-path", join(folder, "data"), "--no-welcome"];
  const server = new RunningProgram(command, { logPath: join(folder, "sqld.log") });
  await server.waitUntil(async () => (await fetch(`${url}/health`)).ok);
  return { url, stop: async () => void (await server.stop()) };
}
