/** The subjects of a comparison: a worker of ours, and the broker that `--against` names. */
import { UsageError } from "../../src/runtime/node/options.ts";
import type { BenchContext } from "../benchmark.ts";
import type { Broker } from "./broker.ts";
import { GivenBroker, KafkaBroker } from "./kafka-program.ts";
import { Millrace, type MillraceOptions } from "./millrace.ts";

/** Runs `use` with ours first and the rival, if one is named, second; stops them afterwards. */
export async function withBrokers<T>(
  { options, say }: BenchContext,
  own: MillraceOptions,
  use: (brokers: readonly Broker[]) => Promise<T>,
): Promise<T> {
  const brokers: Broker[] = [];
  try {
    brokers.push(await Millrace.start(options, own));
    const { against } = options;
    if (against === "kafka") {
      say("  starting Kafka");
      brokers.push(await KafkaBroker.start(options));
    } else if (against === "flink") throw new UsageError("Flink runs the queries of nexmark alone");
    else if (against !== undefined) brokers.push(new GivenBroker(against));
    return await use(brokers);
  } finally {
    for (const broker of brokers) await broker.stop();
  }
}

/** Runs `use` with one worker of ours. */
export async function withMillrace<T>(
  { options }: Pick<BenchContext, "options">,
  own: MillraceOptions,
  use: (worker: Millrace) => Promise<T>,
): Promise<T> {
  const worker = await Millrace.start(options, own);
  try {
    return await use(worker);
  } finally {
    await worker.stop();
  }
}
