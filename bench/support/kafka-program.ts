/** Apache Kafka's own programs, run from a folder with its jars. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Broker } from "./broker.ts";
import { kafkaProperties } from "./kafka-properties.ts";
import type { BenchOptions } from "./options.ts";
import {
  freePorts,
  listens,
  outputOf,
  Program,
  removeFolder,
  temporaryFolder,
} from "./processes.ts";

const classes = {
  broker: "kafka.Kafka",
  storage: "kafka.tools.StorageTool",
  producerPerf: "org.apache.kafka.tools.ProducerPerformance",
  consumerPerf: "org.apache.kafka.tools.ConsumerPerformance",
} as const;

type JavaOptions = Pick<BenchOptions, "kafkaLibs" | "java">;

function command(options: JavaOptions, program: keyof typeof classes): string[] {
  if (options.kafkaLibs === undefined) {
    throw new Error("This needs Kafka's jars: name their folder with --kafka-libs DIR");
  }
  // Heap and collector of Kafka's own start scripts.
  const machine = ["-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"];
  const quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";
  return [options.java, ...machine, quiet, "-cp", `${options.kafkaLibs}/*`, classes[program]];
}

/** Runs `kafka-producer-perf-test` or its sibling to its end; resolves to what it printed. */
export async function runKafkaTool(
  options: JavaOptions,
  tool: "producerPerf" | "consumerPerf",
  args: readonly string[],
): Promise<string> {
  return await outputOf([...command(options, tool), ...args]);
}

/** A broker given by its address: it is neither started nor stopped here. */
export class GivenBroker implements Broker {
  readonly pid = undefined;
  readonly name: string;
  readonly host: string;
  readonly port: number;

  constructor({ host, port }: { readonly host: string; readonly port: number }) {
    this.name = `Kafka ${host}:${port}`;
    this.host = host;
    this.port = port;
  }

  async restart(): Promise<boolean> {
    return false;
  }

  async stop(): Promise<void> {}
}

/** One node that is broker and controller, with Kafka's defaults otherwise. */
export class KafkaBroker implements Broker {
  readonly name = "Kafka";
  readonly host = "127.0.0.1";
  readonly port: number;
  readonly #folder: string;
  readonly #command: readonly string[];
  #program: Program;

  /** `launcher`: words before its command. */
  static async start(
    options: BenchOptions,
    launcher: readonly string[] = [],
  ): Promise<KafkaBroker> {
    const folder = temporaryFolder(options.folder);
    const [port = 0, controllerPort = 0] = await freePorts(2);
    const properties = join(folder, "server.properties");
    writeFileSync(properties, kafkaProperties({ port, controllerPort, folder }));
    const storage = command(options, "storage");
    const id = (await outputOf([...storage, "random-uuid"])).trim().split("\n").at(-1) ?? "";
    await outputOf([...storage, "format", "--standalone", "-t", id, "-c", properties]);
    const broker = new KafkaBroker(port, folder, [
      ...launcher,
      ...command(options, "broker"),
      properties,
    ]);
    await broker.#ready();
    return broker;
  }

  private constructor(port: number, folder: string, commandLine: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#command = commandLine;
    this.#program = this.#launch();
  }

  get pid(): number {
    return this.#program.pid;
  }

  async restart(): Promise<boolean> {
    await this.#program.stop();
    this.#program = this.#launch();
    await this.#ready();
    return true;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    removeFolder(this.#folder);
  }

  #launch(): Program {
    return new Program(this.#command, { logPath: join(this.#folder, "kafka.log") });
  }

  async #ready(): Promise<void> {
    await this.#program.waitUntil(() => listens(this.port));
  }
}
