/**
 * @platformatic/kafka, loaded from the cache of programs, with the part of its types that the tests
 * use: the package is none of the project's own, so its declarations are not there to import.
 */
import { platformaticEntry } from "./programs.ts";

export interface PlatformaticMessage {
  readonly topic: string;
  readonly key?: string | undefined;
  readonly value?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly partition?: number;
  readonly timestamp?: bigint;
}

export interface PlatformaticRecord {
  readonly key: string;
  readonly value: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: bigint;
}

export interface PlatformaticProducer {
  send(options: {
    readonly messages: readonly PlatformaticMessage[];
    readonly acks?: number;
    readonly compression?: string;
    readonly idempotent?: boolean;
    readonly autocreateTopics?: boolean;
  }): Promise<{ offsets?: { topic: string; partition: number; offset: bigint }[] }>;
  close(force?: boolean): Promise<void>;
}

export interface PlatformaticStream extends AsyncIterable<PlatformaticRecord> {
  close(): Promise<void>;
}

export interface PlatformaticConsumer {
  consume(options: {
    readonly topics: readonly string[];
    readonly mode: "earliest" | "latest" | "committed";
    readonly fallbackMode?: "earliest" | "latest";
    readonly autocommit?: boolean;
    readonly sessionTimeout?: number;
    readonly heartbeatInterval?: number;
    readonly maxWaitTime?: number;
  }): Promise<PlatformaticStream>;
  listOffsets(options: {
    readonly topics: readonly string[];
    readonly timestamp?: bigint;
  }): Promise<Map<string, bigint[]>>;
  close(force?: boolean): Promise<void>;
}

export interface PlatformaticAdmin {
  listTopics(): Promise<string[]>;
  createTopics(options: {
    readonly topics: readonly string[];
    readonly partitions: number;
    readonly replicas: number;
    readonly configs?: readonly { readonly name: string; readonly value: string }[];
  }): Promise<{ id: string; name: string; partitions: number; replicas: number }[]>;
  createPartitions(options: {
    readonly topics: readonly {
      readonly name: string;
      readonly count: number;
      readonly assignments: readonly { readonly brokerIds: readonly number[] }[];
    }[];
  }): Promise<void>;
  deleteTopics(options: { readonly topics: readonly string[] }): Promise<void>;
  metadata(options: {
    readonly topics: readonly string[];
    readonly forceUpdate?: boolean;
  }): Promise<{
    brokers: Map<number, { host: string; port: number }>;
    topics: Map<string, { id: string; partitions: unknown[] }>;
  }>;
  listGroups(): Promise<Map<string, { id: string; state: string; protocolType: string }>>;
  describeGroups(options: {
    readonly groups: readonly string[];
  }): Promise<Map<string, { state: string; members: Map<string, { clientId: string }> }>>;
  deleteGroups(options: { readonly groups: readonly string[] }): Promise<void>;
  listConsumerGroupOffsets(options: { readonly groups: readonly string[] }): Promise<
    {
      groupId: string;
      topics: {
        name: string;
        partitions: { partitionIndex: number; committedOffset: bigint }[];
      }[];
    }[]
  >;
  describeConfigs(options: {
    readonly resources: readonly { resourceType: number; resourceName: string }[];
  }): Promise<{ configs: { name: string; value: string | null }[] }[]>;
  close(): Promise<void>;
}

interface ClientOptions {
  readonly clientId: string;
  readonly bootstrapBrokers: readonly string[];
}

/** What the package exports, as far as it is used here. */
export interface Platformatic {
  readonly Producer: new (
    options: ClientOptions & { readonly serializers: unknown },
  ) => PlatformaticProducer;
  readonly Consumer: new (
    options: ClientOptions & { readonly groupId: string; readonly deserializers: unknown },
  ) => PlatformaticConsumer;
  readonly Admin: new (options: ClientOptions) => PlatformaticAdmin;
  readonly stringSerializers: unknown;
  readonly stringDeserializers: unknown;
}

export async function loadPlatformatic(): Promise<Platformatic> {
  const module: Platformatic = await import(await platformaticEntry());
  return module;
}
