/** SQL over HTTP to the worker under measurement, and its records over Kafka's protocol. */
import { encodeBatch } from "../../src/record/batch-encode.ts";
import { KafkaClient } from "./kafka-client.ts";
import type { Millrace } from "./millrace.ts";
import { makeFrame } from "./produce-load.ts";
import { platform } from "./record-batches.ts";

const encoder = new TextEncoder();
const lineFeed = 10;

export class SqlClient {
  readonly #url: string;
  readonly #producer: KafkaClient;

  static async open(worker: Millrace): Promise<SqlClient> {
    return new SqlClient(`${worker.httpUrl}/v1/sql`, await KafkaClient.connect(worker));
  }

  private constructor(url: string, producer: KafkaClient) {
    this.#url = url;
    this.#producer = producer;
  }

  /** Runs a script. */
  async run(sql: string): Promise<void> {
    const answer = await this.#ask(sql, "application/json");
    await answer.text();
  }

  /** Number of rows that a SELECT gives. */
  async countRows(sql: string): Promise<number> {
    const answer = await this.#ask(sql, "application/x-ndjson");
    return (await answer.bytes()).filter((byte) => byte === lineFeed).length;
  }

  /** The rows of changes as they come, until `signal` aborts. */
  async *changes(sql: string, signal: AbortSignal): AsyncGenerator<unknown, void> {
    const answer = await this.#ask(sql, "application/x-ndjson", signal);
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for await (const chunk of answer.body ?? []) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) yield (JSON.parse(line) as { readonly row: unknown }).row;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** A produce request with JSON values, to be sent as often as wanted. */
  request(topic: string, values: readonly string[]): Uint8Array {
    const timestamp = Date.now();
    const records = values.map((value) => ({ timestamp, key: null, value: encoder.encode(value) }));
    return makeFrame(topic, 0, encodeBatch({ records, codec: "none" }, platform)).bytes;
  }

  /** Resolves when it is acknowledged. */
  async append(request: Uint8Array): Promise<void> {
    await this.#producer.send([request]);
  }

  close(): void {
    this.#producer.close();
  }

  async #ask(sql: string, accept: string, signal?: AbortSignal): Promise<Response> {
    const answer = await fetch(this.#url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: accept },
      body: JSON.stringify({ sql }),
      ...(signal && { signal }),
    });
    if (answer.ok) return answer;
    throw new Error(`The worker refused ${sql}: ${await answer.text()}`);
  }
}
