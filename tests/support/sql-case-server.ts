/**
 * Runs a case of `tests/golden/sql` on a server, topic to topic: its streams are made by statements,
 * its publishes appended by requests, its query is a view that goes on, and what the golden says is
 * read from the view's topic.
 */

import { parseScript } from "../../src/sql/syntax/parse-script.ts";
import { queryList } from "../../src/wire/http/sql-shapes.ts";
import type { CasePublish, SqlCase } from "./sql-case.ts";

export interface CaseServer {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ServedRow {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
}

const resultName = "case_result";

export class ServedCase {
  readonly #server: CaseServer;
  readonly #case: SqlCase;
  /** Where its results are. */
  #target = resultName;

  constructor(server: CaseServer, sqlCase: SqlCase) {
    this.#server = server;
    this.#case = sqlCase;
  }

  /** Makes the streams and topics that the query reads. */
  async prepare(): Promise<void> {
    const counts = new Map<string, number>();
    for (const { topic, partition } of this.#case.partitions) {
      counts.set(topic, Math.max(counts.get(topic) ?? 0, partition + 1));
    }
    for (const [name, partitions] of counts) {
      await this.#post("/v1/topics", { name, partitions });
    }
    const before = this.#statements().slice(0, -1);
    if (before.length > 0) await this.sql(before.join(";\n"));
  }

  /** Starts its query, which goes on. */
  async startQuery(): Promise<void> {
    const last = this.#statements().at(-1) ?? "";
    const [, made] = /^CREATE MATERIALIZED VIEW (\w+)/.exec(last) ?? [];
    const [, into] = /^INSERT INTO (\w+)/.exec(last) ?? [];
    this.#target = made ?? into ?? resultName;
    const isNamed = made !== undefined || into !== undefined;
    await this.sql(isNamed ? last : `CREATE MATERIALIZED VIEW ${resultName} AS ${last}`);
  }

  async publishAll(): Promise<void> {
    for (const publish of this.#case.publishes) await this.#publish(publish);
  }

  /** Rows of the query as it ends, where it is one that does. */
  async boundedRows(): Promise<string[]> {
    const last = this.#statements().at(-1) ?? "";
    return (await this.sql(last, "application/x-ndjson")).split("\n").filter(Boolean);
  }

  /** Whether the query has committed all that was published of what it reads. */
  async isDone(): Promise<boolean> {
    const answer = await this.#ask("/v1/queries");
    const { queries } = queryList.parse(await answer.json());
    const found = queries.find(({ target }) => target === this.#target);
    if (found?.state === "failed") throw new Error(`The query failed: ${JSON.stringify(found)}`);
    const read = found?.partitions ?? [];
    const topics = new Set(read.map(({ topic }) => topic));
    const published = this.#case.publishes
      .flatMap(({ runs }) => runs)
      .filter(({ topic }) => topics.has(topic))
      .reduce((sum, { records }) => sum + records.length, 0);
    const done = read.reduce((sum, { position }) => sum + position, 0);
    return topics.size > 0 && done >= published;
  }

  /** Everything in the topic of that name beside the result's, in its order. */
  async read(suffix: "" | ".late" | ".errors"): Promise<ServedRow[]> {
    const rows: ServedRow[] = [];
    const topic = encodeURIComponent(this.#target + suffix);
    for (;;) {
      const path = `/v1/topics/${topic}/partitions/0/records?offset=${rows.length}`;
      const answer = await this.#ask(path);
      if (answer.status === 404) return rows;
      const { records } = (await answer.json()) as { records: ServedRow[] };
      if (records.length === 0) return rows;
      rows.push(...records);
    }
  }

  async sql(script: string, accept = "application/json"): Promise<string> {
    const zone = `SET 'table.local-time-zone' = '${this.#case.timeZone}'`;
    const often = "SET 'execution.checkpointing.interval' = '50 ms'";
    const sql = accept === "application/json" ? `${often};\n${zone};\n${script}` : script;
    return await this.#post("/v1/sql", { sql }, accept);
  }

  #statements(): string[] {
    return parseScript(this.#case.script).map(({ text }) => text.trim());
  }

  async #publish({ runs }: CasePublish): Promise<void> {
    const topics = new Map<string, object[]>();
    const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes));
    for (const { topic, partition, records } of runs) {
      const all = topics.get(topic) ?? [];
      topics.set(topic, all);
      for (const { timestamp, key, value, headers = [] } of records) {
        const bytes = { key: text(key), value: text(value) };
        all.push({
          ...{ partition, timestamp },
          ...(bytes.key !== null && { keyBase64: bytes.key.toString("base64") }),
          ...(bytes.value === null
            ? { value: null }
            : { valueBase64: bytes.value.toString("base64") }),
          headers: headers.map((each) => ({
            key: each.key,
            value: Buffer.from(each.value ?? []).toString(),
          })),
        });
      }
    }
    for (const [topic, records] of topics) {
      await this.#post(`/v1/topics/${topic}/records`, { records });
    }
  }

  async #ask(path: string): Promise<Response> {
    return await fetch(this.#server.url + path, { headers: this.#server.headers });
  }

  async #post(path: string, body: object, accept = "application/json"): Promise<string> {
    const headers = { ...this.#server.headers, "Content-Type": "application/json", Accept: accept };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(this.#server.url + path, init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
    return text;
  }
}
