import type { Counter, Gauge, Histogram, Metrics } from "../../base/metrics.ts";
import { kafkaApis } from "../../wire/kafka/api-registry.ts";

/** The Kafka server's series, looked up once: a request touches counters only. */
export interface ApiMetrics {
  readonly requests: Counter;
  readonly seconds: Histogram;
}

export class KafkaMetrics {
  readonly connections: Gauge;
  readonly receivedBytes: Counter;
  readonly sentBytes: Counter;
  readonly throttled: Counter;
  readonly brokenConnections: Counter;
  readonly #apis: ReadonlyMap<number, ApiMetrics>;

  constructor(metrics: Metrics) {
    this.connections = metrics.gauge({
      name: "millrace_kafka_connections",
      help: "Kafka connections that are open.",
    });
    this.receivedBytes = metrics.counter({
      name: "millrace_kafka_received_bytes_total",
      help: "Bytes received over the Kafka protocol.",
    });
    this.sentBytes = metrics.counter({
      name: "millrace_kafka_sent_bytes_total",
      help: "Bytes sent over the Kafka protocol.",
    });
    this.throttled = metrics.counter({
      name: "millrace_kafka_throttled_total",
      help: "Requests that had to wait for room in memory.",
    });
    this.brokenConnections = metrics.counter({
      name: "millrace_kafka_broken_connections_total",
      help: "Connections closed because of what was sent over them.",
    });
    this.#apis = new Map(kafkaApis.map(({ key, name }) => [key, apiMetrics(metrics, name)]));
  }

  /** Series of an API that has a table. */
  api(key: number): ApiMetrics | undefined {
    return this.#apis.get(key);
  }
}

function apiMetrics(metrics: Metrics, api: string): ApiMetrics {
  return {
    requests: metrics.counter(
      { name: "millrace_kafka_requests_total", help: "Kafka requests answered." },
      { api },
    ),
    seconds: metrics.histogram(
      {
        name: "millrace_kafka_request_seconds",
        help: "From a request read to its answer ready, waits included.",
      },
      { api },
    ),
  };
}
