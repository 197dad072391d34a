/**
 * A Kafka connection reduced to what a load needs: frames out, answers back in the same order, as
 * many under way as the caller likes. Works with any broker.
 */
import { createTopicsApi } from "../../src/wire/kafka/api/create-topics.ts";
import { deleteTopicsApi } from "../../src/wire/kafka/api/delete-topics.ts";
import { initProducerIdApi } from "../../src/wire/kafka/api/init-producer-id.ts";
import { listOffsetsApi } from "../../src/wire/kafka/api/list-offsets.ts";
import { metadataApi } from "../../src/wire/kafka/api/metadata.ts";
import type { Api } from "../../src/wire/kafka/api-table.ts";
import type { Decoded } from "../../src/wire/kafka/field-table.ts";
import { FrameSplitter } from "../../src/wire/kafka/frame.ts";
import { decodeResponse, encodeRequestFrame } from "../../src/wire/kafka/request-header.ts";

const frameBytesMax = 256 * 1024 * 1024;
const clientId = "millrace-bench";

interface Address {
  readonly host: string;
  readonly port: number;
}

interface Waiting {
  resolve(frame: Uint8Array): void;
  reject(error: Error): void;
}

export class KafkaClient {
  readonly #splitter = new FrameSplitter({ frameBytesMax });
  readonly #waiting: Waiting[] = [];
  /** What the kernel has not taken yet. */
  #unsent: Uint8Array[] = [];
  #socket: Bun.Socket | undefined;
  #failure: Error | undefined;

  static async connect(address: Address): Promise<KafkaClient> {
    const client = new KafkaClient();
    client.#socket = await Bun.connect({
      hostname: address.host,
      port: address.port,
      socket: {
        binaryType: "uint8array",
        open: (socket) => void socket.setNoDelay(true),
        data: (_, chunk) => client.#received(chunk),
        drain: () => client.#flush(),
        close: () =>
          client.#fail(new Error(`${address.host}:${address.port} closed the connection`)),
        error: (_, error) => client.#fail(error),
      },
    });
    return client;
  }

  /** Sends one request and reads its answer. */
  async ask<Request, Response>(
    api: Api<Request, Response>,
    apiVersion: number,
    request: Request,
  ): Promise<Decoded<Response>> {
    const envelope = { apiVersion, correlationId: 1, clientId };
    const { chunks } = encodeRequestFrame(api, envelope, request);
    return decodeResponse(api, apiVersion, await this.send(chunks));
  }

  /**
   * Sends a whole frame; resolves to the answer's frame, without its length. The chunks must stay as
   * they are until then.
   */
  send(chunks: readonly Uint8Array[]): Promise<Uint8Array> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      const wasEmpty = this.#unsent.length === 0;
      this.#unsent.push(...chunks);
      if (wasEmpty) this.#flush();
    });
  }

  /** Sends bytes that are no whole frame, for clients that dawdle; nothing is expected back. */
  sendPart(bytes: Uint8Array): void {
    this.#unsent.push(bytes);
    if (this.#unsent.length === 1) this.#flush();
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  close(): void {
    this.#failure = new Error("The connection is closed");
    this.#socket?.terminate();
  }

  #flush(): void {
    for (let first = this.#unsent[0]; first !== undefined; first = this.#unsent[0]) {
      const taken = this.#socket?.write(first) ?? 0;
      if (taken < first.length) {
        if (taken > 0) this.#unsent[0] = first.subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
  }

  #received(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
    for (let frame = this.#splitter.next(); frame !== undefined; frame = this.#splitter.next()) {
      this.#waiting.shift()?.resolve(frame);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

/** Runs `use` with a connection that is closed afterwards. */
export async function withClient<T>(
  address: Address,
  use: (client: KafkaClient) => Promise<T>,
): Promise<T> {
  const client = await KafkaClient.connect(address);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** Makes a topic of a random name; resolves to that when all partitions have a leader. */
export async function newTopic(address: Address, partitionCount: number): Promise<string> {
  const name = `bench-${crypto.randomUUID().slice(0, 8)}`;
  return await withClient(address, async (client) => {
    const made = await client.ask(createTopicsApi, 5, {
      topics: [
        {
          name,
          numPartitions: partitionCount,
          replicationFactor: 1,
          assignments: [],
          configs: [],
        },
      ],
      timeoutMs: 30_000,
    });
    checkCode(made.topics[0]?.errorCode ?? -1, `create the topic ${name}`);
    await waitForLeaders(client, name);
    return name;
  });
}

/**
 * Resolves when the broker leads all partitions of a topic. A busy Kafka names itself in Metadata
 * before it does, and refuses records with error 6 until then.
 */
export async function waitForLeaders(client: KafkaClient, name: string): Promise<void> {
  for (;;) {
    const { topics } = await client.ask(metadataApi, 5, {
      topics: [{ name }],
      allowAutoTopicCreation: false,
    });
    const partitions = topics[0]?.partitions ?? [];
    const ready = partitions.every(({ errorCode, leaderId }) => errorCode === 0 && leaderId >= 0);
    if (partitions.length > 0 && ready && (await areLed(client, name, partitions.length))) return;
    await Bun.sleep(20);
  }
}

async function areLed(client: KafkaClient, name: string, partitionCount: number): Promise<boolean> {
  const partitions = Array.from({ length: partitionCount }, (_, partitionIndex) => ({
    partitionIndex,
    timestamp: -1,
  }));
  const { topics } = await client.ask(listOffsetsApi, 1, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name, partitions }],
  });
  return topics[0]?.partitions.every(({ errorCode }) => errorCode === 0) ?? false;
}

/** Deletes a topic, so that rounds do not fill the disk. */
export async function deleteTopic(address: Address, name: string): Promise<void> {
  await withClient(address, (client) =>
    client.ask(deleteTopicsApi, 4, { topicNames: [name], timeoutMs: 30_000 }),
  );
}

/** A fresh producer id of epoch 0. */
export async function newProducerId(client: KafkaClient): Promise<number> {
  for (;;) {
    const answer = await client.ask(initProducerIdApi, 2, {
      transactionalId: null,
      transactionTimeoutMs: 60_000,
    });
    // A Kafka that has just started loads its coordinator first.
    if (answer.errorCode === 0) return answer.producerId ?? -1;
    if (answer.errorCode !== 14 && answer.errorCode !== 15) {
      checkCode(answer.errorCode, "get a producer id");
    }
    await Bun.sleep(100);
  }
}

/** Throws when a Kafka error code is not 0. */
export function checkCode(code: number, act: string): void {
  if (code !== 0) throw new Error(`Cannot ${act}: the broker answered with error ${code}`);
}
