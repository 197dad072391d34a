/**
 * What a log object needs for Kafka clients: a module of its own, loaded when the first of them
 * comes, since it is a tenth of the code that would be parsed at each cold start (ADR 38).
 */
import { FrameMemory } from "../../base/frame-memory.ts";
import type { OpenKafka } from "../../server/http/context.ts";
import type { KafkaContextOptions } from "../../server/kafka/create-context.ts";
import { createKafkaContext } from "../../server/kafka/create-context.ts";
import { kafkaTunnels } from "../kafka-tunnels.ts";
import { KafkaService } from "../node/kafka-service.ts";

/** Kafka connections of an object; each may hold two megabytes. */
const connectionsMax = 32;

export function openObjectKafka(
  parts: Omit<KafkaContextOptions, "frameBuffers">,
  shutdown: AbortSignal,
): OpenKafka {
  const service = new KafkaService(shutdown, connectionsMax);
  const frameBuffers = new FrameMemory(new Uint8Array(0));
  const context = createKafkaContext({ ...parts, frameBuffers });
  return kafkaTunnels(context, (duplex, own) => service.accept(duplex, own));
}
