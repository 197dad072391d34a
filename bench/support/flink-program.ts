/** Apache Flink's SQL, run from a folder with its jars. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchOptions } from "./options.ts";
import { removeFolder, temporaryFolder } from "./processes.ts";

const runner = join(import.meta.dir, "flink/RunScripts.java");

/** What Flink's own start scripts open for its serializers. */
const opened = ["util", "lang", "time", "nio", "util.concurrent"];

export interface FlinkRun {
  readonly seconds: number;
  /** Processor time of its process meanwhile. */
  readonly cpuSeconds: number;
}

export class FlinkProgram {
  readonly #folder: string;
  readonly #child: Bun.Subprocess<"pipe", "pipe", Bun.BunFile>;
  readonly #lines: AsyncIterator<string>;
  #scripts = 0;

  /** `configuration` is Flink's own, by key. Resolves when it takes scripts. */
  static async start(
    options: BenchOptions,
    given: {
      readonly launcher: readonly string[];
      readonly configuration: Readonly<Record<string, string>>;
    },
  ): Promise<FlinkProgram> {
    const { flink, java, folder } = options;
    if (flink === undefined) {
      throw new Error("This needs Flink's jars: name their folder with --flink DIR");
    }
    const temporary = temporaryFolder(folder);
    const program = new FlinkProgram(temporary, [
      ...given.launcher,
      ...[
        java,
        "-Xmx4g",
        `-Djava.io.tmpdir=${temporary}`,
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
      ],
      ...opened.map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
      ...["-cp", `${flink}/*`, runner],
      ...Object.entries(given.configuration).map(([key, value]) => `${key}=${value}`),
    ]);
    await program.#answer("ready");
    return program;
  }

  private constructor(folder: string, command: readonly string[]) {
    this.#folder = folder;
    const stderr = Bun.file(join(folder, "flink.log"));
    this.#child = Bun.spawn([...command], { stdin: "pipe", stdout: "pipe", stderr });
    this.#lines = linesOf(this.#child.stdout);
  }

  /** Runs statements to the end of the last, an INSERT that ends. */
  async run(statements: readonly string[]): Promise<FlinkRun> {
    const path = join(this.#folder, `script-${this.#scripts++}.sql`);
    writeFileSync(path, statements.join("\n;\n"));
    this.#child.stdin.write(`${path}\n`);
    await this.#child.stdin.flush();
    const [milliseconds, nanoseconds] = (await this.#answer("ran")).split(" ").map(Number);
    return {
      seconds: (milliseconds ?? Number.NaN) / 1e3,
      cpuSeconds: (nanoseconds ?? Number.NaN) / 1e9,
    };
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    removeFolder(this.#folder);
  }

  async #answer(word: string): Promise<string> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`Flink ended\n${await this.#log()}`);
      if (value.startsWith(word)) return value.slice(word.length + 1);
      if (value.startsWith("failed")) throw new Error(`Flink ${value}\n${await this.#log()}`);
    }
  }

  async #log(): Promise<string> {
    const text = await Bun.file(join(this.#folder, "flink.log")).text();
    return text.split("\n").slice(-60).join("\n");
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
