/** `streamctl server` as a child process of a test: started, asked, stopped, killed, restarted. */
import { join } from "node:path";
import { freePorts, listens, RunningProgram, temporaryFolder } from "./processes.ts";

export interface ServerPlace {
  /**
   * The program, run in the project's root, up to the word `server`, or what makes it for a data
   * folder; absent: this Bun.
   */
  readonly program?: readonly string[] | ((data: string) => readonly string[]);
  /** As `--store` takes it; absent: a folder of its own. */
  readonly store?: string;
  /** As `--metadata` takes it; absent: a file of its own. */
  readonly metadata?: string;
  /** Further words of the command line. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dir, "../..");
const bunProgram = [process.execPath, join(root, "src/cli/main.ts"), "server"];

export class StreamServer {
  /** What every request carries: nothing. */
  readonly headers: Readonly<Record<string, string>> = {};
  readonly #place: ServerPlace;
  readonly #folder: string;
  readonly #httpPort: number;
  readonly #kafkaPort: number;
  #program: RunningProgram;
  #starts = 0;

  /** Starts one on free ports; resolves when it is ready. */
  static async start(place: ServerPlace = {}): Promise<StreamServer> {
    const [httpPort = 0, kafkaPort = 0] = await freePorts(2);
    const server = new StreamServer(place, httpPort, kafkaPort);
    await server.#ready();
    return server;
  }

  private constructor(place: ServerPlace, httpPort: number, kafkaPort: number) {
    this.#place = place;
    this.#folder = temporaryFolder("server");
    this.#httpPort = httpPort;
    this.#kafkaPort = kafkaPort;
    this.#program = this.#launch();
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.#kafkaPort}`;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.#httpPort}`;
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** What the present process printed. */
  log(): string {
    return this.#program.log();
  }

  /** Starts it again after `stop` or `kill`: same ports, same data. */
  async restart(): Promise<void> {
    this.#program = this.#launch();
    await this.#ready();
  }

  /** SIGTERM; resolves to the exit code. */
  async stop(): Promise<number> {
    return await this.#program.stop();
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#program.kill();
  }

  #launch(): RunningProgram {
    const { program = bunProgram, store, metadata, flags = [], env } = this.#place;
    const data = join(this.#folder, "data");
    const command = [
      ...(typeof program === "function" ? program(data) : program),
      ...["--data", data],
      ...["--http", `127.0.0.1:${this.#httpPort}`, "--kafka", this.bootstrap],
      ...(store === undefined ? [] : ["--store", store]),
      ...(metadata === undefined ? [] : ["--metadata", metadata]),
      ...flags,
    ];
    this.#starts += 1;
    return new RunningProgram(command, {
      logPath: join(this.#folder, `server-${this.#starts}.log`),
      env: { MILLRACE_LOG_FORMAT: "text", ...env },
      cwd: root,
    });
  }

  async #ready(): Promise<void> {
    await this.#program.waitUntil(async () => {
      const answer = await fetch(`${this.httpUrl}/readyz`);
      return answer.ok && (await listens(this.#kafkaPort));
    });
  }
}
