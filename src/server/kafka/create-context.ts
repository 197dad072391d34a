import { ByteBudget } from "../../base/byte-budget.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { KafkaContext } from "./context.ts";
import { FetchSessions } from "./fetch-sessions.ts";
import { KafkaMetrics } from "./kafka-metrics.ts";
import { ResponseMemory } from "./response-memory.ts";

export interface KafkaContextOptions
  extends Pick<
    KafkaContext,
    "platform" | "log" | "topics" | "groups" | "producerIds" | "settings"
  > {
  readonly metrics: Metrics;
  /** Bytes of requests read and not answered, over all connections. */
  readonly requestBytesInFlightMax: number;
  /** Bytes of fetched records on their way to clients, over all connections: a soft bound. */
  readonly responseBytesInFlightMax: number;
}

/** One per server; every connection gets it. */
export function createKafkaContext(options: KafkaContextOptions): KafkaContext {
  const { platform, log, topics, groups, producerIds, settings } = options;
  const requestBudget = new ByteBudget(options.requestBytesInFlightMax);
  const responseMemory = new ResponseMemory(options.responseBytesInFlightMax);
  const fetchSessions = new FetchSessions({
    random: platform.random,
    monotonic: () => platform.clock.monotonic(),
  });
  gauges(options.metrics, { requestBudget, responseMemory, fetchSessions });
  return {
    platform,
    log,
    topics,
    groups,
    producerIds,
    settings,
    metrics: new KafkaMetrics(options.metrics),
    requestBudget,
    responseMemory,
    fetchSessions,
  };
}

function gauges(
  metrics: Metrics,
  context: Pick<KafkaContext, "requestBudget" | "responseMemory" | "fetchSessions">,
): void {
  const requests = metrics.gauge({
    name: "millrace_kafka_request_bytes",
    help: "Bytes of Kafka requests read and not answered.",
  });
  const responses = metrics.gauge({
    name: "millrace_kafka_response_bytes",
    help: "Bytes of fetched records on their way to Kafka clients.",
  });
  const sessions = metrics.gauge({
    name: "millrace_kafka_fetch_sessions",
    help: "Fetch sessions held for Kafka clients.",
  });
  metrics.beforePrint(() => {
    requests.set(context.requestBudget.takenBytes);
    responses.set(context.responseMemory.waitingBytes);
    sessions.set(context.fetchSessions.count);
  });
}
