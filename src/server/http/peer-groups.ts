/**
 * Groups as clients see them that reach all workers by one address and cannot choose among them: a
 * call about a group goes to the worker that coordinates it, whichever worker the client came to.
 *
 * What is safe does not depend on it: a coordinator answers under its lease, so one that was asked
 * by mistake refuses. Nor does a call that is made again when its answer was lost do more than the
 * client would, which is told to ask again.
 *
 * A client behind one address does not see that a coordinator dies: its connection stays. Told
 * COORDINATOR_NOT_AVAILABLE some give up what they had to say, as kafkajs does with a commit. So a
 * call waits here until the group has a coordinator again, for about as long as that takes.
 */
import type { Platform, TimerHandle } from "../../base/platform.ts";
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

/** From the first failure of a call to its last attempt; a dead worker's groups fall in 3 s. */
const patienceMs = 5_000;
const againMs = 250;
/** Between looks whether an answer may still come. */
const watchMs = 1_000;

/** Coordinators remembered, so that a heartbeat need not ask the metadata who it is. */
const nodesKnownMax = 10_000;

export interface PeerGroupsOptions {
  /** What this worker coordinates. */
  readonly local: GroupService;
  readonly log: Pick<LogService, "cluster">;
  readonly platform: Pick<Platform, "timers" | "clock">;
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
    const { local, platform, shutdown } = this.#options;
    if (method === "locate") return (await local.locate(groupId)) as GroupValue<M>;
    const { clock, timers } = platform;
    let deadline: number | undefined;
    for (;;) {
      try {
        return (await this.#attempt(groupId, method, argument as never)) as GroupValue<M>;
      } catch (error) {
        if (!(error instanceof NotNow)) throw error;
        const isFirst = deadline === undefined;
        deadline ??= clock.monotonic() + patienceMs;
        if (shutdown.aborted || clock.monotonic() >= deadline) throw error.reason;
        // It has done nothing, and what was remembered may have been old.
        if (isFirst && error.reason.code === "coordinator_elsewhere") continue;
        await timers.sleep(againMs, shutdown);
      }
    }
  }

  /** @throws NotNow when the group may have another coordinator soon. */
  async #attempt<M extends PassedMethod>(
    groupId: string,
    method: M,
    argument: GroupArgument<M>,
  ): Promise<GroupValue<M>> {
    const { local } = this.#options;
    const place = await this.#coordinatorOf(groupId).catch(soon);
    if (place === "the client's to find" || place === "self") {
      const asked = local[method] as (argument: unknown) => Promise<unknown>;
      const answer = asked.call(local, argument) as Promise<GroupValue<M>>;
      return await (place === "self" ? answer.catch(soon) : answer);
    }
    try {
      return await this.#ask(place, method, argument);
    } catch (error) {
      // One that did not answer is asked until it is known to be gone, which costs no metadata.
      if (!(error instanceof NotNow)) this.#nodeIds.delete(groupId);
      return soon(error);
    }
  }

  /** Of all workers: each knows those that it coordinates, and those of nobody. */
  async list(filter: ListGroupsFilter): Promise<readonly ListedGroup[]> {
    const { local, log } = this.#options;
    const { nodes, selfNodeId } = log.cluster();
    const others = nodes.filter((node) => node.nodeId !== selfNodeId && this.#passesTo(node));
    const listed = await Promise.all([
      ...others.map((node) => this.#ask(node, "listGroups", filter).catch(reasonOf)),
      local.listGroups(filter),
    ]);
    const byId = new Map(listed.flat().map((group) => [group.groupId, group]));
    return [...byId.values()];
  }

  async #coordinatorOf(groupId: string): Promise<ClusterNode | "self" | "the client's to find"> {
    const { local, passesTo } = this.#options;
    const known = this.#nodeIds.get(groupId);
    const remembered = known === undefined ? undefined : this.#listed(known);
    if (remembered !== undefined) return remembered;
    const located = await local.locate(groupId);
    if (located.kind === "self") return "self";
    if (!passesTo(located.worker)) return "the client's to find";
    const { nodeId } = located.worker;
    const node = this.#listed(nodeId);
    if (node === undefined || node.httpUrl === "") {
      throw unavailable(`worker ${nodeId} coordinates the group and cannot be reached from here`);
    }
    if (this.#nodeIds.size >= nodesKnownMax) this.#nodeIds.clear();
    this.#nodeIds.set(groupId, nodeId);
    return node;
  }

  #listed(nodeId: number): ClusterNode | undefined {
    return this.#options.log.cluster().nodes.find((node) => node.nodeId === nodeId);
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

  /** The JSON of the answer. @throws NotNow when there is none. */
  async #exchange({ nodeId, httpUrl }: ClusterNode, method: string, body: string) {
    const { platform, token, shutdown } = this.#options;
    const { timers, clock } = platform;
    const over = new AbortController();
    let heardAt = clock.monotonic();
    const watch = (): TimerHandle =>
      timers.after(watchMs, () => {
        const isSilent = clock.monotonic() - heardAt >= silentMsMax;
        if (isSilent || this.#listed(nodeId) === undefined) over.abort();
        else timer = watch();
      });
    let timer = watch();
    const headers = new Headers({ "Content-Type": "application/json" });
    if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
    const signal = AbortSignal.any([over.signal, shutdown]);
    try {
      const url = `${httpUrl}${groupCallsPath}/${method}`;
      const response = await this.#options.fetch(url, { method: "POST", headers, body, signal });
      const json: unknown = JSON.parse(
        await textOf(response, () => {
          heardAt = clock.monotonic();
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
      throw new NotNow(unavailable(`worker ${nodeId} at ${httpUrl} does not answer`, cause));
    } finally {
      timer.cancel();
    }
  }
}

/** The group may have another coordinator in a moment. */
class NotNow extends Error {
  readonly reason: StreamError;

  constructor(reason: StreamError) {
    super(reason.message, { cause: reason });
    this.reason = reason;
  }
}

/** @throws what was thrown, for callers that do not ask again. */
function reasonOf(error: unknown): never {
  throw error instanceof NotNow ? error.reason : error;
}

/** @throws what was thrown, as NotNow where that is due to who coordinates the group. */
function soon(error: unknown): never {
  const isPassing = isStreamError(
    error,
    ...(["coordinator_elsewhere", "coordinator_unavailable", "shutting_down"] as const),
  );
  throw isPassing ? new NotNow(error) : error;
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
