/** Apache Kafka itself as the broker under test: whoever fails on it is a wrong test. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { kafkaProperties } from "../../../bench/support/kafka-properties.ts";
import { freePorts, listens, RunningProgram, temporaryFolder } from "../../support/processes.ts";
import { runJava } from "./kafka-tools.ts";
import { javaProgram, kafkaLibraries } from "./programs.ts";

export interface KafkaBroker {
  readonly bootstrap: string;
  readonly stop: () => Promise<void>;
}

/** One node that is broker and controller, its data in a temporary folder. */
export async function startKafkaBroker(): Promise<KafkaBroker> {
  const libraries = await kafkaLibraries();
  const folder = temporaryFolder("kafka");
  const [port = 0, controllerPort = 0] = await freePorts(2);
  const properties = join(folder, "server.properties");
  writeFileSync(properties, kafkaProperties({ port, controllerPort, folder }));
  const id = await runJava("kafka.tools.StorageTool", ["random-uuid"]);
  const clusterId = id.stdout.trim().split("\n").at(-1) ?? "";
  const format = ["format", "--standalone", "-t", clusterId, "-c", properties];
  await runJava("kafka.tools.StorageTool", format);
  const heap = ["-Xmx1g", "-XX:+UseG1GC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"];
  const command = [await javaProgram(), ...heap, "-cp", `${libraries}/*`, "kafka.Kafka"];
  const broker = new RunningProgram([...command, properties], {
    logPath: join(folder, "kafka.log"),
  });
  await broker.waitUntil(() => listens(port));
  return {
    bootstrap: `127.0.0.1:${port}`,
    stop: async () => void (await broker.stop()),
  };
}
