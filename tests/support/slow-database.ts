/**
 * A libSQL server that is far away and badly reached: stands between a Worker and one that is not.
 * Requests are held up, and some answers get lost after the server has done what it was asked.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRandom } from "./virtual-platform.ts";

export class SlowDatabase {
  /** A request takes up to so much longer. */
  delayMsMax = 0;
  /** Shares of the requests whose connection breaks before and after the server has answered. */
  lostBefore = 0;
  lostAfter = 0;
  readonly #behind: string;
  readonly #random: () => number;
  readonly #server = createServer((request, response) => void this.#pass(request, response));
  #lost = 0;

  /** Passes on what the server at `behind` is asked. */
  static async start(behind: string, seed: number): Promise<SlowDatabase> {
    const database = new SlowDatabase(behind, seed);
    const listening = Promise.withResolvers<void>();
    database.#server.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    return database;
  }

  private constructor(behind: string, seed: number) {
    this.#behind = behind;
    const random = createRandom(seed);
    this.#random = () => random.uniform();
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  /** Connections that broke off so far. */
  get lost(): number {
    return this.#lost;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { delayMsMax, lostBefore, lostAfter } = this;
    const sent = await bodyOf(request);
    // Who asked is gone, as an object that is evicted in the middle of a request.
    if (sent === undefined) return;
    await Bun.sleep((this.#random() * delayMsMax) / 2);
    if (this.#random() < lostBefore) return this.#breakOff(response);
    const { method = "GET", url = "/" } = request;
    const headers = { "Content-Type": "application/json" };
    const body = method === "POST" ? sent : null;
    const answer = await fetch(this.#behind + url, { method, headers, body });
    const text = await answer.text();
    await Bun.sleep((this.#random() * delayMsMax) / 2);
    if (this.#random() < lostAfter) return this.#breakOff(response);
    response.writeHead(answer.status, headers).end(text);
  }

  #breakOff(response: ServerResponse): void {
    this.#lost += 1;
    response.destroy();
  }
}

/** Undefined when the connection broke before all of it had come. */
async function bodyOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
    return Buffer.concat(chunks);
  } catch (error) {
    if (request.complete) throw error;
    return undefined;
  }
}
