/** Kafka's names of its error codes. */
import { type KafkaErrorName, kafkaErrors } from "./error-code.ts";

const namesByCode: ReadonlyMap<number, KafkaErrorName> = new Map(
  // Object.keys gives exactly the table's own names.
  (Object.keys(kafkaErrors) as KafkaErrorName[]).map((name) => [kafkaErrors[name].code, name]),
);

/** Kafka's name of a code; UNKNOWN_SERVER_ERROR for codes newer than this table. */
export function kafkaErrorName(code: number): KafkaErrorName {
  return namesByCode.get(code) ?? "UNKNOWN_SERVER_ERROR";
}
