/**
 * Passes requests on to the worker that must answer them: the coordinator of a group. A request is
 * passed on once; where it lands it is answered or refused, so workers that disagree cannot send it
 * round in circles.
 */
import { StreamError } from "../../base/stream-error.ts";
import type { ClusterNode } from "../../log/log-types.ts";
import type { HttpContext } from "./context.ts";
import { receiveBody } from "./request-body.ts";

const hopHeader = "Millrace-Hop";
/** A worker that does not answer for so long is dead to its clients as well. */
const answerMsMax = 10_000;
const passedHeaders = ["Authorization", "Content-Type", "Accept"];
/** Requests about groups are small: offsets of a thousand partitions take 60 KB. */
const bodyBytesMax = 4 * 1024 * 1024;

export class Peers {
  readonly #context: HttpContext;

  constructor(context: HttpContext) {
    this.#context = context;
  }

  /** The other live workers; none for a request that one of them passed on. */
  othersThan(request: Request): readonly ClusterNode[] {
    if (request.headers.has(hopHeader)) return [];
    const { nodes, selfNodeId } = this.#context.log.cluster();
    return nodes.filter((node) => node.nodeId !== selfNodeId);
  }

  /**
   * The answer of the worker `nodeId`, which may wait for `waitMsMax` before it has one.
   * @throws StreamError `coordinator_elsewhere`, `coordinator_unavailable`.
   */
  async pass(request: Request, nodeId: number, waitMsMax = 0): Promise<Response> {
    const node = this.othersThan(request).find((other) => other.nodeId === nodeId);
    if (node !== undefined) return this.send(request, node, waitMsMax);
    throw new StreamError(
      "coordinator_elsewhere",
      `Cannot answer here: worker ${nodeId} coordinates the group; ask again in a moment`,
    );
  }

  /** @throws StreamError `coordinator_unavailable`. */
  async send(request: Request, node: ClusterNode, waitMsMax = 0): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers({ [hopHeader]: "1" });
    for (const name of passedHeaders) {
      const value = request.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    const url = `${node.httpUrl}${pathname}${search}`;
    if (request.method === "GET" || request.method === "HEAD") {
      return this.#ask(node, url, { method: "GET", headers }, waitMsMax);
    }
    const { bodyBudget, platform } = this.#context;
    const body = await receiveBody(request, {
      budget: bodyBudget,
      bytesMax: bodyBytesMax,
      codecs: platform.codecs,
    });
    try {
      const bytes = body.bytes as Uint8Array<ArrayBuffer>;
      const init = { method: request.method, headers, body: bytes };
      return await this.#ask(node, url, init, waitMsMax);
    } finally {
      body.release();
    }
  }

  async #ask(
    node: ClusterNode,
    url: string,
    init: RequestInit,
    waitMsMax: number,
  ): Promise<Response> {
    const late = new AbortController();
    const timer = this.#context.platform.timers.after(waitMsMax + answerMsMax, () => late.abort());
    try {
      const response = await this.#context.fetch(url, { ...init, signal: late.signal });
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
