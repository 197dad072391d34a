/** kafkajs, loaded from the cache of programs, with the part of its types that the tests use. */
import type { KafkajsSocketFactory } from "../../../src/client/kafkajs-socket.ts";
import { kafkajsEntry } from "./programs.ts";

export interface KafkajsProducer {
  connect(): Promise<void>;
  send(batch: {
    readonly topic: string;
    readonly acks?: number;
    readonly messages: readonly { readonly key?: string; readonly value: string }[];
  }): Promise<readonly { readonly baseOffset: string }[]>;
  disconnect(): Promise<void>;
}

export interface KafkajsMessage {
  readonly partition: number;
  readonly message: { readonly offset: string; readonly value: Uint8Array };
}

export interface KafkajsConsumer {
  connect(): Promise<void>;
  subscribe(to: { readonly topic: string; readonly fromBeginning: boolean }): Promise<void>;
  run(options: { readonly eachMessage: (message: KafkajsMessage) => Promise<void> }): Promise<void>;
  disconnect(): Promise<void>;
}

export interface KafkajsAdmin {
  connect(): Promise<void>;
  createTopics(options: {
    readonly topics: readonly { readonly topic: string; readonly numPartitions: number }[];
  }): Promise<boolean>;
  fetchOffsets(options: {
    readonly groupId: string;
    readonly topics: readonly string[];
  }): Promise<readonly { readonly partitions: readonly { readonly offset: string }[] }[]>;
  disconnect(): Promise<void>;
}

export interface Kafkajs {
  readonly Kafka: new (options: {
    readonly brokers: readonly string[];
    readonly socketFactory: KafkajsSocketFactory;
    readonly logLevel: number;
    readonly retry?: { readonly retries: number };
  }) => {
    producer(options?: { readonly idempotent?: boolean }): KafkajsProducer;
    consumer(options: { readonly groupId: string }): KafkajsConsumer;
    admin(): KafkajsAdmin;
  };
}

export async function loadKafkajs(): Promise<Kafkajs> {
  const module: { readonly default: Kafkajs } = await import(await kafkajsEntry());
  return module.default;
}
