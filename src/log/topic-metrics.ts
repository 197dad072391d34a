/** What each topic takes and gives, as metrics; past the first series topics count together. */
import type { Counter, Metrics } from "../base/metrics.ts";
import type { TopicInfo } from "../meta/catalog.ts";

interface TopicCounters {
  readonly appendedRecords: Counter;
  readonly appendedBytes: Counter;
  readonly fetchedBytes: Counter;
}

export class TopicMetrics {
  readonly #metrics: Metrics;
  /** Looked up per flush and fetch: the labels are put together once per topic. */
  readonly #counters = new WeakMap<TopicInfo, TopicCounters>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  appended(topic: TopicInfo, what: { readonly recordCount: number; readonly bytes: number }): void {
    const counters = this.#of(topic);
    counters.appendedRecords.add(what.recordCount);
    counters.appendedBytes.add(what.bytes);
  }

  fetched(topic: TopicInfo, bytes: number): void {
    this.#of(topic).fetchedBytes.add(bytes);
  }

  #of(topic: TopicInfo): TopicCounters {
    const known = this.#counters.get(topic);
    if (known !== undefined) return known;
    const counter = (name: string, help: string) =>
      this.#metrics.counter({ name, help }, { topic: topic.name });
    const counters: TopicCounters = {
      appendedRecords: counter("millrace_topic_appended_records_total", "Records published."),
      appendedBytes: counter("millrace_topic_appended_bytes_total", "Bytes of batches published."),
      fetchedBytes: counter("millrace_topic_fetched_bytes_total", "Bytes of batches read."),
    };
    this.#counters.set(topic, counters);
    return counters;
  }
}
