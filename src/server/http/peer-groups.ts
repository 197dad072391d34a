/**
 * Groups as clients see them that reach all workers by one address and cannot choose among them: a
 * call about a group goes to the worker that coordinates it, whichever worker the client came to.
 *
 * What is safe does not depend on it: a coordinator answers under its lease, so one that was asked
 * by mistake refuses.
 */
import type { Platform } from "../../base/platform.ts";
import { isStreamError, StreamError } from "../../base/stream-error.ts";
import {
  calledGroups,
  type GroupArgument,
  type GroupMethod,
  type GroupValue,
} from "../../group/called-groups.ts";
import type { GroupService } from "../../group/group-service.ts";
import type { WorkerAddress } from "../../group/group-store.ts";
import type { ListedGroup, ListGroupsFilter } from "../../group/types.ts";
import type { ClusterNode, LogService } from "../../log/log-types.ts";
import { problem } from "../../wire/http/problem.ts";
import {
  groupCallRefusal,
  groupCalls,
  groupCallText,
  groupCallValue,
  type PassedMethod,
} from "./group-call-shapes.ts";
import { groupCallBytesMax, groupCallsPath, silentMsMax } from "./group-calls.ts";

/** Coordinators remembered, so that a heartbeat need not ask the metadata who it is. */
const nodesKnownMax = 10_000;

export interface PeerGroupsOptions {
  /** What this worker coordinates. */
  readonly local: GroupService;
  readonly log: Pick<LogService, "cluster">;
  readonly platform: Pick<Platform, "timers">;
  /** The shared secret of the workers. */
  readonly token: string | undefined;
  /** Ends all calls. */
  readonly shutdown: AbortSignal;
  /** False: a client reaches that worker by itself, and is told to. */
  readonly passesTo: (worker: WorkerAddress) => boolean;
  fetch(url: string, init: RequestInit): Promise<Response>;
}

export function peerGroups(options: PeerGroupsOptions): GroupService {
  const peers = new PeerGroups(options);
  return calledGroups((groupId, method, argument) => peers.call(groupId, method, argument), {
    listGroups: (filter) => peers.list(filter),
  });
}

class PeerGroups {
  readonly #options: PeerGroupsOptions;
  /** Node ids of coordinators by group; right until one of them refuses or is gone. */
  readonly #nodeIds = new Map<string, number>();

  constructor(options: PeerGroupsOptions) {
    this.#options = options;
  }

  async call<M extends Exclude<GroupMethod, "listGroups">>(
    groupId: string,
    method: M,
    argument: GroupArgument<M>,
  ): Promise<GroupValue<M>> {
    const { local } = this.#options;
    if (method === "locate") return (await local.locate(groupId)) as GroupValue<M>;
    const passed: PassedMethod = method;
    for (let isFirst = true; ; isFirst = false) {
      const node = await this.#coordinatorOf(groupId);
      if (node === undefined) {
        const asked = local[passed] as (argument: unknown) => Promise<unknown>;
        return (await asked.call(local, argument)) as GroupValue<M>;
      }
      try {
        const said = argument as GroupArgument<typeof passed>;
        return (await this.#ask(node, passed, said)) as GroupValue<M>;
      } catch (error) {
        if (!isStreamError(error) || error.kind === "unavailable") this.#nodeIds.delete(groupId);
        // It has done nothing, and what was remembered may have been old.
        if (isFirst && isStreamError(error, "coordinator_elsewhere")) continue;
        throw error;
      }
    }
  }

  /** Of all workers: each knows those that it coordinates, and those of nobody. */
  async list(filter: ListGroupsFilter): Promise<readonly ListedGroup[]> {
    const { local, log } = this.#options;
    const { nodes, selfNodeId } = log.cluster();
    const others = nodes.filter((node) => node.nodeId !== selfNodeId && this.#passesTo(node));
    const listed = await Promise.all([
      ...others.map((node) => this.#ask(node, "listGroups", filter)),
      local.listGroups(filter),
    ]);
    const byId = new Map(listed.flat().map((group) => [group.groupId, group]));
    return [...byId.values()];
  }

  /** Undefined: this worker, or one to which nothing is passed on. */
  async #coordinatorOf(groupId: string): Promise<ClusterNode | undefined> {
    const { local, log, passesTo } = this.#options;
    const { nodes } = log.cluster();
    const find = (nodeId: number) => nodes.find((node) => node.nodeId === nodeId);
    const known = this.#nodeIds.get(groupId);
    const remembered = known === undefined ? undefined : find(known);
    if (remembered !== undefined) return remembered;
    const located = await local.locate(groupId);
    if (located.kind === "self" || !passesTo(located.worker)) return undefined;
    const { nodeId } = located.worker;
    const node = find(nodeId);
    if (node === undefined || node.httpUrl === "") {
      throw unavailable(`worker ${nodeId} coordinates the group and cannot be reached from here`);
    }
    if (this.#nodeIds.size >= nodesKnownMax) this.#nodeIds.clear();
    this.#nodeIds.set(groupId, nodeId);
    return node;
  }

  #passesTo({ nodeId, kafkaHost: host, kafkaPort: port, httpUrl }: ClusterNode): boolean {
    return httpUrl !== "" && this.#options.passesTo({ nodeId, host, port });
  }

  async #ask<M extends PassedMethod>(
    node: ClusterNode,
    method: M,
    argument: GroupArgument<M>,
  ): Promise<GroupValue<M>> {
    const json = await this.#exchange(node, method, groupCallText(argument));
    const refusal = groupCallRefusal.safeParse(json);
    if (refusal.success) {
      const { code, message, details } = refusal.data;
      throw new StreamError(code, message, { details });
    }
    const answer = groupCallValue.safeParse(json);
    const value = groupCalls[method].value.safeParse(answer.data?.value);
    if (value.success) return value.data as GroupValue<M>;
    throw unavailable(`worker ${node.nodeId} gives an answer that this version does not know`);
  }

  /** The JSON of the answer. */
  async #exchange({ nodeId, httpUrl }: ClusterNode, method: string, body: string) {
    const { platform, token, shutdown } = this.#options;
    const silence = new AbortController();
    const watch = () => platform.timers.after(silentMsMax, () => silence.abort());
    let timer = watch();
    const headers = new Headers({ "Content-Type": "application/json" });
    if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
    const signal = AbortSignal.any([silence.signal, shutdown]);
    try {
      const url = `${httpUrl}${groupCallsPath}/${method}`;
      const response = await this.#options.fetch(url, { method: "POST", headers, body, signal });
      const json: unknown = JSON.parse(
        await textOf(response, () => {
          timer.cancel();
          timer = watch();
        }),
      );
      if (response.ok) return json;
      const refused = problem.safeParse(json);
      const reason = refused.success ? refused.data.detail : `status ${response.status}`;
      throw unavailable(`worker ${nodeId} at ${httpUrl} answers: ${reason}`);
    } catch (cause) {
      if (isStreamError(cause)) throw cause;
      if (shutdown.aborted)
        throw new StreamError("shutting_down", "Cannot wait: this worker stops");
      throw unavailable(`worker ${nodeId} at ${httpUrl} does not answer`, cause);
    } finally {
      timer.cancel();
    }
  }
}

async function textOf({ body }: Response, onChunk: () => void): Promise<string> {
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const part = await reader?.read();
    if (part?.value === undefined) return text + decoder.decode();
    onChunk();
    // What says that somebody is there is not kept.
    if (text !== "" || part.value.some((byte: number) => byte !== spaceByte)) {
      text += decoder.decode(part.value, { stream: true });
    }
    if (text.length > groupCallBytesMax) {
      await reader?.cancel();
      throw new TypeError("the answer has no end");
    }
  }
}

const spaceByte = 0x20;

function unavailable(reason: string, cause?: unknown): StreamError {
  return new StreamError(
    "coordinator_unavailable",
    `Cannot ask the group's coordinator: ${reason}; ask again in a moment`,
    cause === undefined ? {} : { cause },
  );
}
