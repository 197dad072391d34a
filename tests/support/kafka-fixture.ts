/** The Kafka surface over a log in memory, spoken to in frames without a socket. */

import { AnswerMemory } from "../../src/base/answer-memory.ts";
import { ByteBudget } from "../../src/base/byte-budget.ts";
import type { ByteDuplex } from "../../src/base/byte-duplex.ts";
import type { FrameBuffers } from "../../src/base/frame-memory.ts";
import { joinedBytes } from "../../src/base/joined-bytes.ts";
import { type LogFields, type Logger, silentLogger } from "../../src/base/log.ts";
import { Metrics } from "../../src/base/metrics.ts";
import type { Platform } from "../../src/base/platform.ts";
import { GroupCoordinator } from "../../src/group/coordinator.ts";
import { createPlatform } from "../../src/runtime/node/platform.ts";
import { TcpInbox } from "../../src/runtime/tcp-inbox.ts";
import { serveKafkaConnection } from "../../src/server/kafka/connection.ts";
import type { KafkaContext, KafkaSettings } from "../../src/server/kafka/context.ts";
import { createKafkaContext } from "../../src/server/kafka/create-context.ts";
import type { Api } from "../../src/wire/kafka/api-table.ts";
import type { Decoded } from "../../src/wire/kafka/field-table.ts";
import { FrameSplitter } from "../../src/wire/kafka/frame.ts";
import { decodeResponse, encodeRequestFrame } from "../../src/wire/kafka/request-header.ts";
import { MemoryGroups } from "./memory-group-store.ts";
import { MemoryLog, type MemoryLogOptions } from "./memory-log.ts";

export interface KafkaFixtureOptions {
  readonly settings?: Partial<KafkaSettings>;
  readonly log?: Partial<MemoryLogOptions>;
  /** Stands before the log in memory, for tests of order and overload. */
  readonly wrapLog?: (log: MemoryLog) => KafkaContext["log"];
  /** Stands before its topics, for tests of what is cached. */
  readonly wrapTopics?: (log: MemoryLog) => KafkaContext["topics"];
  /** Default: the runtime's. */
  readonly time?: Pick<Platform, "clock" | "timers">;
  readonly requestBytesInFlightMax?: number;
  readonly responseBytesInFlightMax?: number;
}

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
}

export interface KafkaFixture {
  readonly platform: Platform;
  readonly log: MemoryLog;
  readonly context: KafkaContext;
  /** What the server logged. */
  readonly lines: LogLine[];
  connect(): KafkaClient;
  /** Stops the server; resolves when all connections are served to their end. */
  stop(): Promise<void>;
}

export function createKafkaFixture(options: KafkaFixtureOptions = {}): KafkaFixture {
  const lines: LogLine[] = [];
  const made = createPlatform({ log: recordingLogger(lines) });
  const platform: Platform = { ...made, ...options.time };
  const log = new MemoryLog({ platform, autoCreate: true, ...options.log });
  let producerId = 1000;
  const context = createKafkaContext({
    platform,
    log: options.wrapLog?.(log) ?? log,
    topics: options.wrapTopics?.(log) ?? log,
    groups: new GroupCoordinator({ platform, ...new MemoryGroups({ platform }).worker(1) }),
    producerIds: { next: async () => producerId++ },
    metrics: new Metrics(),
    settings: {
      requestBytesMax: 8 * 1024 * 1024,
      token: null,
      autoCreateTopics: true,
      partitionCountDefault: 1,
      decompressedBytesMax: 64 * 1024 * 1024,
      ...options.settings,
    },
    requestBudget: new ByteBudget(options.requestBytesInFlightMax ?? 64 * 1024 * 1024),
    answerMemory: new AnswerMemory(options.responseBytesInFlightMax ?? 64 * 1024 * 1024),
    frameBuffers: spoilingBuffers,
  });
  const stopping = new AbortController();
  const served: Promise<void>[] = [];
  return {
    platform,
    log,
    context,
    lines,
    connect() {
      const client = new KafkaClient();
      served.push(serveKafkaConnection(client.duplex, context, stopping.signal));
      return client;
    },
    async stop() {
      stopping.abort();
      await Promise.all(served);
    },
  };
}

/** Spoils what is given back, so that whoever still reads it shows. */
const takenBuffers = new WeakSet<Uint8Array>();
const spoilingBuffers: FrameBuffers = {
  take(length) {
    const bytes = new Uint8Array(length);
    takenBuffers.add(bytes);
    return bytes;
  },
  give(bytes) {
    if (takenBuffers.has(bytes)) bytes.fill(0xdd);
  },
};

function recordingLogger(lines: LogLine[]): Logger {
  const at = (level: LogLine["level"]) => (message: string, _fields?: LogFields) => {
    lines.push({ level, message });
  };
  const logger: Logger = {
    ...silentLogger,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: () => logger,
  };
  return logger;
}

/** One connection, seen from the client's end. */
export class KafkaClient {
  /** The server's end. */
  readonly duplex: ByteDuplex;
  readonly #inbox: TcpInbox;
  readonly #splitter = new FrameSplitter({ frameBytesMax: 2 ** 30 });
  readonly #waiting: ((frame: Uint8Array | undefined) => void)[] = [];
  readonly #frames: Uint8Array[] = [];
  #correlationId = 0;
  #reading: Promise<void> | undefined;
  /** True once the server has closed. */
  closed = false;
  /** Pauses and resumes of the server's reading. */
  paused = false;

  constructor() {
    this.#inbox = new TcpInbox({
      pause: () => {
        this.paused = true;
      },
      resume: () => {
        this.paused = false;
      },
    });
    this.duplex = {
      remoteAddress: "127.0.0.1:50312",
      incoming: this.#inbox,
      write: (chunks) => this.#received(chunks),
      close: () => this.#closedByServer(),
    };
  }

  /** Sends bytes as they are. */
  send(...chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#inbox.push(chunk);
  }

  /** Ends the client's half. */
  end(): void {
    this.#inbox.end();
  }

  /** Breaks the connection. */
  reset(): void {
    this.#inbox.end(new Error("ECONNRESET"));
  }

  /** From now on the server's writes wait for `resume`, as with a client that does not read. */
  stopReading(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#reading = promise;
    return () => {
      this.#reading = undefined;
      resolve();
    };
  }

  /** The next response frame; undefined when the server closed instead. */
  receive(): Promise<Uint8Array | undefined> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    if (this.closed) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Sends a request and does not wait. */
  request<Q, R>(api: Api<Q, R>, version: number, request: Q): void {
    const envelope = {
      apiVersion: version,
      correlationId: ++this.#correlationId,
      clientId: "test",
    };
    const { chunks } = encodeRequestFrame(api, envelope, request);
    this.send(joinedBytes(chunks));
  }

  /** Sends a request and waits for its answer. Throws when the server closes instead. */
  async ask<Q, R>(api: Api<Q, R>, version: number, request: Q): Promise<Decoded<R>> {
    this.request(api, version, request);
    return this.answer(api, version);
  }

  async answer<Q, R>(api: Api<Q, R>, version: number): Promise<Decoded<R>> {
    const frame = await this.receive();
    if (frame === undefined) throw new Error("The server closed the connection");
    return decodeResponse(api, version, frame);
  }

  async #received(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.closed) throw new Error("The connection is closed");
    await this.#reading;
    if (this.closed) throw new Error("The connection is closed");
    for (const chunk of chunks) {
      this.#splitter.push(chunk.slice());
      for (let frame = this.#splitter.next(); frame; frame = this.#splitter.next()) {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#frames.push(frame);
        else waiting(frame);
      }
    }
  }

  #closedByServer(): void {
    this.closed = true;
    this.#inbox.discard();
    for (const waiting of this.#waiting.splice(0)) waiting(undefined);
  }
}
