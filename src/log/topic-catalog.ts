/**
 * The topics as this worker knows them. A hit is answered from memory; a miss is confirmed in the
 * metadata, so that a topic which another worker made is never denied. A peer's deletion shows with
 * the change feed, and at the latest when a publish is refused.
 */
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import {
  addPartitions,
  alterTopicConfig,
  createTopic,
  deleteTopic,
  listTopics,
  type NewTopic,
  partitionCountMax,
  type TopicInfo,
  topicsById,
  topicsByName,
} from "../meta/catalog.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { validateTopicConfig } from "../meta/topic-config.ts";
import { hasCollision, parseTopicName } from "../record/topic-name.ts";
import { noTopicId, type TopicId, topicIdFromBytes } from "../record/types.ts";
import type { CreateTopic, TopicService } from "./log-types.ts";

export interface TopicCatalogParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly settings: TopicSettings;
  /** Called when a topic was made, changed or (`isGone`) deleted here. */
  readonly onChange: (topicNumber: number, isGone: boolean) => void;
}

export interface TopicSettings {
  readonly autoCreateTopics: boolean;
  readonly partitionCountDefault: number;
}

/** Kafka's int16, of which the store makes no use. */
const replicationFactorMax = 32_767;

export class TopicCatalog implements TopicService {
  readonly #parts: TopicCatalogParts;
  readonly #byName = new Map<string, TopicInfo>();
  readonly #byId = new Map<TopicId, TopicInfo>();
  /** Goes up with every change: what was asked for before it is not kept after it. */
  #changes = 0;

  constructor(parts: TopicCatalogParts) {
    this.#parts = parts;
  }

  /** Forgets everything held: the catalog has changed elsewhere. */
  forget(): void {
    this.#changes += 1;
    this.#byName.clear();
    this.#byId.clear();
  }

  async byName(name: string): Promise<TopicInfo | undefined> {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const [topic] = await this.#read((database) => topicsByName(database, [name]));
    return topic;
  }

  async byId(topicId: TopicId): Promise<TopicInfo | undefined> {
    const known = this.#byId.get(topicId);
    if (known !== undefined) return known;
    return this.#confirm(topicId);
  }

  async withPartition(topic: TopicInfo, partition: number): Promise<TopicInfo> {
    if (partition < topic.partitionCount) return topic;
    return (await this.#confirm(topic.topicId)) ?? topic;
  }

  async list(): Promise<readonly TopicInfo[]> {
    const { topics } = await listTopics(this.#parts.database);
    return topics;
  }

  async create(request: CreateTopic): Promise<TopicInfo> {
    return this.#changed(await createTopic(this.#parts.database, this.#newTopic(request)));
  }

  async checkCreate(request: CreateTopic): Promise<TopicInfo> {
    const topic = this.#newTopic(request);
    for (const other of await this.list()) {
      if (other.name === topic.name) throw topicExists(topic.name);
      if (hasCollision(other.name, topic.name)) throw collides(topic.name, other.name);
    }
    return { ...topic, topicId: noTopicId, topicNumber: -1, createdAt: -1 };
  }

  async delete(topicId: TopicId): Promise<void> {
    const topic = await this.#require(topicId);
    await deleteTopic(this.#parts.database, topic.topicNumber);
    this.#drop(topic);
  }

  async addPartitions(topicId: TopicId, partitionCount: number): Promise<TopicInfo> {
    const { topicNumber } = await this.#require(topicId);
    const { database } = this.#parts;
    return this.#changed(await addPartitions(database, { topicNumber, partitionCount }));
  }

  async alterConfig(
    topicId: TopicId,
    changes: Readonly<Record<string, string | null>>,
  ): Promise<TopicInfo> {
    const { topicNumber } = await this.#require(topicId);
    const { database } = this.#parts;
    return this.#changed(await alterTopicConfig(database, { topicNumber, changes }));
  }

  async autoCreate(name: string): Promise<TopicInfo | undefined> {
    if (!this.#parts.settings.autoCreateTopics) return undefined;
    try {
      return await this.create({ name, partitionCount: -1, replicationFactor: -1, config: {} });
    } catch (error) {
      // Somebody else was first, which is as good.
      const isThere = error instanceof StreamError && error.code === "topic_exists";
      if (isThere) return this.byName(name);
      throw error;
    }
  }

  #newTopic(request: CreateTopic): NewTopic {
    const { partitionCountDefault } = this.#parts.settings;
    const name = parseTopicName(request.name);
    const partitionCount =
      request.partitionCount === -1 ? partitionCountDefault : request.partitionCount;
    if (!isWhole(partitionCount, { from: 1, to: partitionCountMax })) {
      throw new StreamError(
        "invalid_partition_count",
        `Cannot create topic "${name}" with ${partitionCount} partitions: ` +
          `expected 1 to ${partitionCountMax}`,
        { details: { field: "partitions", max: partitionCountMax } },
      );
    }
    const replicationFactor = request.replicationFactor === -1 ? 1 : request.replicationFactor;
    if (!isWhole(replicationFactor, { from: 1, to: replicationFactorMax })) {
      throw new StreamError(
        "invalid_replication_factor",
        `Cannot create topic "${name}" with replication factor ${replicationFactor}: ` +
          "expected 1 or more",
      );
    }
    validateTopicConfig(request.config);
    const topicId = this.#freshId();
    const { config, writer } = request;
    const topic = { topicId, name, partitionCount, replicationFactor, config };
    return writer === undefined ? topic : { ...topic, writer };
  }

  /** A random UUID, version 4, never one whose text begins with a dash (as Kafka's Uuid). */
  #freshId(): TopicId {
    for (;;) {
      const bytes = this.#parts.platform.random.bytes(16);
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      const topicId = topicIdFromBytes(bytes);
      if (!topicId.startsWith("-")) return topicId;
    }
  }

  async #require(topicId: TopicId): Promise<TopicInfo> {
    const topic = await this.byId(topicId);
    if (topic !== undefined) return topic;
    throw new StreamError("topic_unknown", `There is no topic with the id ${topicId}`);
  }

  async #confirm(topicId: TopicId): Promise<TopicInfo | undefined> {
    const [topic] = await this.#read((database) => topicsById(database, [topicId]));
    return topic;
  }

  /** Keeps what it reads, unless something changed on the way. */
  async #read(
    ask: (database: SqlDatabase) => Promise<readonly TopicInfo[]>,
  ): Promise<readonly TopicInfo[]> {
    const before = this.#changes;
    const topics = await ask(this.#parts.database);
    if (before === this.#changes) for (const topic of topics) this.#keep(topic);
    return topics;
  }

  #keep(topic: TopicInfo): TopicInfo {
    this.#byName.set(topic.name, topic);
    this.#byId.set(topic.topicId, topic);
    return topic;
  }

  #changed(topic: TopicInfo): TopicInfo {
    this.#changes += 1;
    this.#parts.onChange(topic.topicNumber, false);
    return this.#keep(topic);
  }

  #drop(topic: TopicInfo): void {
    this.#changes += 1;
    this.#byName.delete(topic.name);
    this.#byId.delete(topic.topicId);
    this.#parts.onChange(topic.topicNumber, true);
  }
}

function isWhole(value: number, range: { from: number; to: number }): boolean {
  return Number.isInteger(value) && value >= range.from && value <= range.to;
}

function topicExists(name: string): StreamError {
  return new StreamError("topic_exists", `Cannot create topic "${name}": it exists already`);
}

function collides(name: string, other: string): StreamError {
  return new StreamError(
    "invalid_topic_name",
    `Cannot create topic "${name}": it collides with "${other}" in metric names, ` +
      "where '.' and '_' are one",
  );
}
