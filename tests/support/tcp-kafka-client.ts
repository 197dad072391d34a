/** A Kafka connection over TCP for tests: requests in order, answers by correlation id. */
import type { Api } from "../../src/wire/kafka/api-table.ts";
import type { Decoded } from "../../src/wire/kafka/field-table.ts";
import { FrameSplitter } from "../../src/wire/kafka/frame.ts";
import {
  decodeResponse,
  encodeRequestFrame,
  responseCorrelationId,
} from "../../src/wire/kafka/request-header.ts";

interface Waiting {
  readonly settle: (frame: Uint8Array) => void;
  readonly fail: (error: Error) => void;
}

export class TcpKafkaClient {
  readonly #splitter = new FrameSplitter({ frameBytesMax: 64 * 1024 * 1024 });
  readonly #waiting = new Map<number, Waiting>();
  #socket: Bun.Socket | undefined;
  #unsent: Uint8Array[] = [];
  #correlationId = 0;

  /** Connects; rejects when nobody listens. */
  static async connect(address: string): Promise<TcpKafkaClient> {
    const [hostname = "", port = ""] = address.split(":");
    const client = new TcpKafkaClient();
    client.#socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        data: (_, bytes) => client.#receive(bytes),
        drain: () => client.#send(),
        close: () => client.#fail(new Error("The connection was closed")),
        error: (_, error) => client.#fail(error),
      },
    });
    return client;
  }

  /** Sends a request and resolves to its answer; rejects when the connection breaks before. */
  async ask<Request, Response>(
    api: Api<Request, Response>,
    apiVersion: number,
    request: Request,
  ): Promise<Decoded<Response>> {
    this.#correlationId += 1;
    const correlationId = this.#correlationId;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#waiting.set(correlationId, { settle: resolve, fail: reject });
    const header = { apiVersion, correlationId, clientId: "test" };
    this.#unsent.push(...encodeRequestFrame(api, header, request).chunks.map((c) => c.slice()));
    this.#send();
    return decodeResponse(api, apiVersion, await promise);
  }

  close(): void {
    this.#socket?.end();
  }

  #send(): void {
    for (let chunk = this.#unsent[0]; chunk !== undefined; chunk = this.#unsent[0]) {
      const sent = Math.max(0, this.#socket?.write(chunk) ?? 0);
      if (sent < chunk.length) {
        this.#unsent[0] = chunk.subarray(sent);
        return;
      }
      this.#unsent.shift();
    }
  }

  #receive(bytes: Uint8Array): void {
    this.#splitter.push(bytes);
    for (let frame = this.#splitter.next(); frame !== undefined; frame = this.#splitter.next()) {
      const correlationId = responseCorrelationId(frame);
      this.#waiting.get(correlationId)?.settle(frame);
      this.#waiting.delete(correlationId);
    }
  }

  #fail(error: Error): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { fail } of waiting) fail(error);
  }
}
