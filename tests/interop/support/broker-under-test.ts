/**
 * The broker that a test file talks to. `MILLRACE_TEST_KAFKA` chooses: unset, a Millrace worker of
 * the file's own; `kafka`, an Apache Kafka 4.2 of the file's own; `HOST:PORT`, whatever runs there.
 */

import { type ServerPlace, StreamServer } from "../../support/stream-server.ts";
import { startKafkaBroker } from "./kafka-broker.ts";

export interface BrokerUnderTest {
  readonly bootstrap: string;
  readonly stop: () => Promise<void>;
}

/** Starts or finds it. `place` says where a Millrace worker keeps its data. */
export async function brokerUnderTest(place: ServerPlace = {}): Promise<BrokerUnderTest> {
  const chosen = process.env["MILLRACE_TEST_KAFKA"] ?? "";
  if (chosen === "kafka") return await startKafkaBroker();
  if (chosen !== "") return { bootstrap: chosen, stop: async () => {} };
  const server = await StreamServer.start(place);
  return {
    bootstrap: server.bootstrap,
    stop: async () => {
      const code = await server.stop();
      if (code !== 0) throw new Error(`The server exited with ${code}\n${server.log()}`);
    },
  };
}

/** A name that no other test and no earlier run on the same broker has used. */
export function uniqueName(prefix: string): string {
  const random = crypto.getRandomValues(new Uint8Array(6)).toHex();
  return `${prefix}-${random}`;
}
