/**
 * Passes requests on to the worker that must answer them: the coordinator of a group. A request is
 * passed on once; where it lands it is answered or refused, so workers that disagree cannot send it
 * round in circles.
 */
import type { Platform } from "../../base/platform.ts";
import { StreamError } from "../../base/stream-error.ts";
import type { ClusterNode, LogService } from "../../log/log-types.ts";

const hopHeader = "Millrace-Hop";
/** A worker that does not answer for so long is dead to its clients as well. */
const answerMsMax = 10_000;
const passedHeaders = ["Authorization", "Content-Type", "Content-Encoding", "Accept"];

export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

export class Peers {
  readonly #log: LogService;
  readonly #platform: Platform;
  readonly #fetch: FetchFunction;

  constructor(parts: {
    readonly log: LogService;
    readonly platform: Platform;
    readonly fetch: FetchFunction;
  }) {
    this.#log = parts.log;
    this.#platform = parts.platform;
    this.#fetch = parts.fetch;
  }

  /** The other live workers; none for a request that one of them passed on. */
  othersThan(request: Request): readonly ClusterNode[] {
    if (request.headers.has(hopHeader)) return [];
    const { nodes, selfNodeId } = this.#log.cluster();
    return nodes.filter((node) => node.nodeId !== selfNodeId);
  }

  /**
   * The answer of the worker `nodeId`.
   * @throws StreamError `coordinator_elsewhere`, `coordinator_unavailable`.
   */
  async pass(request: Request, nodeId: number): Promise<Response> {
    const node = this.othersThan(request).find((other) => other.nodeId === nodeId);
    if (node !== undefined) return this.send(request, node);
    throw new StreamError(
      "coordinator_elsewhere",
      `Cannot answer here: worker ${nodeId} coordinates the group; ask again in a moment`,
    );
  }

  /** @throws StreamError `coordinator_unavailable`. */
  async send(request: Request, node: ClusterNode): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers({ [hopHeader]: "1" });
    for (const name of passedHeaders) {
      const value = request.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    const hasBody = request.method !== "GET" && request.method !== "HEAD";
    const body = hasBody ? { body: await request.arrayBuffer() } : {};
    const late = new AbortController();
    const timer = this.#platform.timers.after(answerMsMax, () => late.abort());
    const method = hasBody ? request.method : "GET";
    const url = `${node.httpUrl}${pathname}${search}`;
    try {
      const response = await this.#fetch(url, { method, headers, signal: late.signal, ...body });
      const type = response.headers.get("Content-Type");
      const text = response.status === 204 ? null : await response.text();
      return new Response(text, {
        status: response.status,
        headers: type === null ? {} : { "Content-Type": type },
      });
    } catch (cause) {
      throw new StreamError(
        "coordinator_unavailable",
        `Cannot reach worker ${node.nodeId} at ${node.httpUrl}; ask again in a moment`,
        { cause },
      );
    } finally {
      timer.cancel();
    }
  }
}
