import type { Metrics } from "../../base/metrics.ts";
import { wholeCluster } from "./cluster-view.ts";
import type { KafkaContext } from "./context.ts";
import { FetchSessions } from "./fetch-sessions.ts";
import { KafkaMetrics } from "./kafka-metrics.ts";

export interface KafkaContextOptions
  extends Pick<
    KafkaContext,
    | "platform"
    | "log"
    | "topics"
    | "groups"
    | "producerIds"
    | "settings"
    | "requestBudget"
    | "answerMemory"
    | "frameBuffers"
  > {
  readonly metrics: Metrics;
}

/** One per server; every connection gets it. */
export function createKafkaContext(options: KafkaContextOptions): KafkaContext {
  const { platform, log, topics, groups, producerIds, settings } = options;
  const { requestBudget, answerMemory, frameBuffers } = options;
  const fetchSessions = new FetchSessions({
    random: platform.random,
    monotonic: () => platform.clock.monotonic(),
  });
  gauges(options.metrics, { requestBudget, answerMemory, fetchSessions });
  return {
    platform,
    log,
    cluster: wholeCluster(log),
    topics,
    groups,
    producerIds,
    settings,
    metrics: new KafkaMetrics(options.metrics),
    requestBudget,
    answerMemory,
    frameBuffers,
    fetchSessions,
  };
}

function gauges(
  metrics: Metrics,
  context: Pick<KafkaContext, "requestBudget" | "answerMemory" | "fetchSessions">,
): void {
  const requests = metrics.gauge({
    name: "millrace_request_bytes",
    help: "Bytes of requests read and not answered, over Kafka and HTTP.",
  });
  const responses = metrics.gauge({
    name: "millrace_answer_bytes",
    help: "Bytes of fetched records on their way to readers, over Kafka and HTTP.",
  });
  const sessions = metrics.gauge({
    name: "millrace_kafka_fetch_sessions",
    help: "Fetch sessions held for Kafka clients.",
  });
  metrics.beforePrint(() => {
    requests.set(context.requestBudget.takenBytes);
    responses.set(context.answerMemory.waitingBytes);
    sessions.set(context.fetchSessions.count);
  });
}
