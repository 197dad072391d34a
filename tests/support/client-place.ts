/** The client against the HTTP surface over a log in memory, with a line that a test can break. */

import { type ConnectOptions, connect } from "../../src/client/connection.ts";
import { type ClientPlatform, platform } from "../../src/client/platform.ts";
import { createHttpFixture, type HttpFixture } from "./http-fixture.ts";

/** What becomes of a request: nothing arrives, the answer is lost, or an answer of the test's own. */
export type Fault = "request lost" | "answer lost" | Response | undefined;

export interface ClientRequestSeen {
  readonly path: string;
  readonly init: RequestInit;
}

/** Time as it is, but nobody waits before another attempt. */
export const hastyPlatform: ClientPlatform = {
  ...platform,
  random: () => 0,
  pause: (_, signal) => platform.sleep(0, signal),
};

export class ClientPlace {
  readonly fixture: HttpFixture;
  readonly requests: ClientRequestSeen[] = [];
  /** Asked for each request. */
  fault: (request: ClientRequestSeen) => Fault | Promise<Fault> = () => undefined;

  constructor(fixture = createHttpFixture()) {
    this.fixture = fixture;
  }

  static async withTopic(partitions = 1): Promise<ClientPlace> {
    const place = new ClientPlace();
    const json = { name: "t", partitions };
    await place.fixture.ask("/v1/topics", { method: "POST", json });
    return place;
  }

  connect<T = Record<string, unknown>>(options: ConnectOptions = {}) {
    return connect<T>("http://localhost:8080", {
      platform: hastyPlatform,
      fetch: (url, init) => this.#fetch(url, init ?? {}),
      ...options,
    });
  }

  /** Values of a partition, as text. */
  async values(partition = 0): Promise<unknown[]> {
    const path = `/v1/topics/t/partitions/${partition}/records`;
    const answer = await this.fixture.ask(path);
    const { records } = (await answer.json()) as { records: { value: unknown }[] };
    return records.map(({ value }) => value);
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    init.signal?.throwIfAborted();
    const seen = { path: url.slice("http://localhost:8080".length), init };
    this.requests.push(seen);
    const fault = await this.fault(seen);
    if (fault === "request lost") throw new TypeError("fetch failed");
    if (fault instanceof Response) return fault;
    const answer = await this.fixture.ask(seen.path, init);
    if (fault === "answer lost") throw new TypeError("fetch failed");
    return answer;
  }
}

export function problemAnswer(status: number, code: string, facts: object = {}): Response {
  const problem = { title: "", status, detail: code, code, retriable: false, ...facts };
  return new Response(JSON.stringify(problem), {
    status,
    headers: { "Content-Type": "application/problem+json" },
  });
}
