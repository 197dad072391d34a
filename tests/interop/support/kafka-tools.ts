/** Kafka's own command line tools, started as the Java classes that its shell scripts start. */
import { type Finished, type RunOptions, run } from "../../support/processes.ts";
import { javaProgram, kafkaLibraries } from "./programs.ts";

const classes = {
  "broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
  configs: "kafka.admin.ConfigCommand",
  "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
  "console-producer": "org.apache.kafka.tools.ConsoleProducer",
  "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
  "consumer-perf": "org.apache.kafka.tools.ConsumerPerformance",
  "delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
  "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
  "producer-perf": "org.apache.kafka.tools.ProducerPerformance",
  topics: "org.apache.kafka.tools.TopicCommand",
  "verifiable-consumer": "org.apache.kafka.tools.VerifiableConsumer",
  "verifiable-producer": "org.apache.kafka.tools.VerifiableProducer",
} as const;

export type KafkaTool = keyof typeof classes;

/**
 * Runs `kafka-TOOL.sh` with these arguments to its end.
 * @throws as `run`: on another exit code than 0 unless `anyExit`.
 */
export async function kafkaTool(
  tool: KafkaTool,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  return await runJava(classes[tool], args, options);
}

/** What starts that tool, for one that runs beside the test. */
export async function kafkaToolCommand(
  tool: KafkaTool,
  args: readonly string[],
): Promise<string[]> {
  return await javaCommand(classes[tool], args);
}

export async function runJava(
  mainClass: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  return await run(await javaCommand(mainClass, args), options);
}

/** The small compiler and collector halve the start, which is most of a tool's life. */
async function javaCommand(mainClass: string, args: readonly string[]): Promise<string[]> {
  const [java, libraries] = await Promise.all([javaProgram(), kafkaLibraries()]);
  const machine = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
  const quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";
  return [java, ...machine, quiet, "-cp", `${libraries}/*`, mainClass, ...args];
}
