/** The worker under measurement: `streamctl server` as a child process. */
import { join } from "node:path";
import type { Broker } from "./broker.ts";
import type { BenchOptions } from "./options.ts";
import { freePorts, listens, Program, removeFolder, temporaryFolder } from "./processes.ts";

const main = join(import.meta.dir, "../../src/cli/main.ts");

export interface MillraceOptions {
  /** Words of the command line beyond those that the benchmark's options give. */
  readonly flags?: readonly string[];
  /** As `--store` takes it; absent: a folder of its own, or what `--store` of the benchmark says. */
  readonly store?: string;
  readonly metadata?: string;
  readonly fsync?: boolean;
  /** What runs it, up to the word `server`; absent: this Bun, from the sources. */
  readonly program?: readonly string[];
  /** Words before its own: a program that starts it in some way. */
  readonly launcher?: readonly string[];
  /** Whose data is used again; absent: a new one. */
  readonly folder?: string;
}

export class Millrace implements Broker {
  readonly name = "Millrace";
  readonly host = "127.0.0.1";
  readonly #command: readonly string[];
  readonly #folder: string;
  readonly #httpPort: number;
  readonly #kafkaPort: number;
  #program: Program | undefined;

  /** Resolves when it takes requests. */
  static async start(options: BenchOptions, given: MillraceOptions = {}): Promise<Millrace> {
    const worker = await Millrace.prepare(options, given);
    await worker.launch();
    return worker;
  }

  /** Everything but the start. */
  static async prepare(options: BenchOptions, given: MillraceOptions = {}): Promise<Millrace> {
    const [httpPort = 0, kafkaPort = 0] = await freePorts(2);
    return new Millrace(options, given, [httpPort, kafkaPort]);
  }

  private constructor(
    options: BenchOptions,
    given: MillraceOptions,
    [httpPort, kafkaPort]: readonly [number, number],
  ) {
    this.#folder = given.folder ?? temporaryFolder(options.folder);
    this.#httpPort = httpPort;
    this.#kafkaPort = kafkaPort;
    const store = given.store ?? (options.store && ownPrefix(options.store));
    const metadata = given.metadata;
    const fsync = given.fsync ?? options.fsync;
    this.#command = [
      ...(given.launcher ?? []),
      ...(given.program ?? [process.execPath, main]),
      ...["server", "--data", join(this.#folder, "data")],
      ...["--http", `127.0.0.1:${httpPort}`, "--kafka", `127.0.0.1:${kafkaPort}`],
      ...["--fsync", fsync ? "on" : "off", "--cache-bytes", String(options.cacheBytes)],
      ...(store === undefined ? [] : ["--store", store]),
      ...(metadata === undefined ? [] : ["--metadata", metadata]),
      ...(given.flags ?? []),
      ...(options.serverFlags ?? "").split(" ").filter((word) => word !== ""),
    ];
  }

  get port(): number {
    return this.#kafkaPort;
  }

  get httpPort(): number {
    return this.#httpPort;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.#httpPort}`;
  }

  get pid(): number | undefined {
    return this.#program?.pid;
  }

  get dataFolder(): string {
    return join(this.#folder, "data");
  }

  get program(): Program {
    if (this.#program === undefined) throw new Error("The worker does not run");
    return this.#program;
  }

  /** Starts the process and returns at once. */
  spawn(): Program {
    this.#program = new Program(this.#command, { logPath: join(this.#folder, "server.log") });
    return this.#program;
  }

  async launch(): Promise<void> {
    await this.spawn().waitUntil(async () => {
      const ready = await fetch(`${this.httpUrl}/readyz`);
      return ready.ok && (await listens(this.#kafkaPort));
    });
  }

  /** Its caches are empty afterwards; those of the operating system are not. */
  async restart(): Promise<boolean> {
    await this.program.stop();
    await this.launch();
    return true;
  }

  async stop(): Promise<void> {
    await this.program.stop();
    removeFolder(this.#folder);
  }

  /** A series of `/metrics` summed over its labels; 0 when it is not there. */
  async metric(name: string, labels = ""): Promise<number> {
    const text = await (await fetch(`${this.httpUrl}/metrics`)).text();
    let sum = 0;
    for (const line of text.split("\n")) {
      const [series = "", value = "0"] = line.split(" ");
      const isNamed = series === name || series.startsWith(`${name}{`);
      if (isNamed && series.includes(labels)) sum += Number(value);
    }
    return sum;
  }
}

/** Each run has a prefix of its own: what an earlier one left is not in its way. */
export function ownPrefix(storeUrl: string): string {
  const query = storeUrl.indexOf("?");
  const end = query < 0 ? storeUrl.length : query;
  const own = crypto.randomUUID().slice(0, 8);
  return `${storeUrl.slice(0, end).replace(/\/$/, "")}/bench-${own}${storeUrl.slice(end)}`;
}
