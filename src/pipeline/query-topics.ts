/** The topics that a query reads and writes, as its definition names them. */
import { isStreamError, StreamError } from "../base/stream-error.ts";
import type { AppendBatch, CreateTopic, TopicService } from "../log/log-types.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import { topicConfigNumber } from "../meta/topic-config.ts";
import { readBatchHeader } from "../record/batch.ts";
import type { OutputBatch, OutputKind } from "../sql/engine/task-output.ts";
import type { QueryDefinition } from "./query-definition.ts";

export interface QueryTopicsParts {
  readonly topics: Pick<TopicService, "byName" | "byId" | "create">;
  readonly queryId: string;
  readonly definition: QueryDefinition;
}

export class QueryTopics {
  readonly #parts: QueryTopicsParts;

  constructor(parts: QueryTopicsParts) {
    this.#parts = parts;
  }

  /** @throws StreamError `topic_unknown` when one of them was deleted. */
  inputs(): Promise<TopicInfo[]> {
    return Promise.all(this.#parts.definition.inputs.map((each) => this.#live(each)));
  }

  /** @throws StreamError `topic_unknown` */
  checkpoints(): Promise<TopicInfo> {
    return this.#live(this.#parts.definition.checkpoints);
  }

  /** Where results go. @throws StreamError `topic_unknown` */
  output(): Promise<TopicInfo> {
    return this.#live(this.#parts.definition.output);
  }

  /** The one by that name among those that the query writes; see `batchesOf`. */
  written(name: string): Promise<TopicInfo> {
    return name === this.#parts.definition.output.name ? this.output() : this.#sideTopic(name);
  }

  /**
   * Batches with the topics that they are for. Those of what is late or wrong are made when there
   * is something to put there, and made again when somebody has deleted them.
   */
  batchesOf(outputs: readonly OutputBatch[]): Promise<AppendBatch[]> {
    return Promise.all(
      outputs.map(async ({ kind, partition, bytes }) => {
        const topic = await this.written(this.#nameOf(kind));
        return { topic, partition, bytes, header: readBatchHeader(bytes) };
      }),
    );
  }

  /** What a batch of rows that are late or wrong may have, as their topics are set up now. */
  async sideBytesMax(): Promise<number> {
    const names = [this.#nameOf("late"), this.#nameOf("error")];
    const found = await Promise.all(names.map((name) => this.#parts.topics.byName(name)));
    const limits = found.map((topic) =>
      topicConfigNumber(topic?.config ?? {}, "max.message.bytes"),
    );
    return Math.min(...limits.map((each) => each ?? Number.POSITIVE_INFINITY));
  }

  /** The name of a topic that is gone and without which the query cannot go on. */
  async missing(): Promise<string | undefined> {
    const { topics, definition } = this.#parts;
    const { inputs, output, checkpoints } = definition;
    for (const { name, topicId } of [...inputs, output, checkpoints]) {
      if ((await topics.byId(topicId as TopicInfo["topicId"])) === undefined) return name;
    }
    return undefined;
  }

  #nameOf(kind: OutputKind): string {
    const { name } = this.#parts.definition.output;
    if (kind === "result") return name;
    return `${name}.${kind === "late" ? "late" : "errors"}`;
  }

  async #live({ name, topicId }: QueryDefinition["output"]): Promise<TopicInfo> {
    const topic = await this.#parts.topics.byId(topicId as TopicInfo["topicId"]);
    if (topic !== undefined) return topic;
    throw new StreamError("topic_unknown", deleted(name), { details: { topic: name } });
  }

  async #sideTopic(name: string): Promise<TopicInfo> {
    const { topics, queryId } = this.#parts;
    const found = await topics.byName(name);
    if (found !== undefined) return found;
    const request: CreateTopic = {
      ...{ name, partitionCount: 1, replicationFactor: -1, config: {}, writer: queryId },
    };
    try {
      return await topics.create(request);
    } catch (error) {
      // Another query of the same output was first.
      const topic = isStreamError(error, "topic_exists") ? await topics.byName(name) : undefined;
      if (topic === undefined) throw error;
      return topic;
    }
  }
}

export function deleted(topic: string): string {
  return `Cannot go on: the topic "${topic}" was deleted`;
}
