/**
 * Runs one query on this worker while its lease is held. After a failure that may pass it starts
 * over from the newest commit, so that what was not committed has never happened.
 */
import type { Platform } from "../base/platform.ts";
import { isStreamError, StreamError } from "../base/stream-error.ts";
import type { LogService, TopicService } from "../log/log-types.ts";
import type { PublishOrderReader, ReaderPosition } from "../log/publish-order-reader.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import type { NamespaceHead } from "../meta/publish-order.ts";
import type { PublishGuard } from "../meta/publish-request.ts";
import { topicConfigNumber } from "../meta/topic-config.ts";
import { hasValues } from "../sql/plan/inputs-of.ts";
import { planToText } from "../sql/plan/plan-text.ts";
import { CheckpointLog, type LoadedCommit } from "./checkpoint-log.ts";
import type { QueryDefinition } from "./query-definition.ts";
import type { QueryPace } from "./query-pace.ts";
import { Run } from "./query-run.ts";
import { type QueryStatus, StatusKeeper } from "./query-status.ts";
import { deleted, QueryTopics } from "./query-topics.ts";
import type { StartTask, TaskHandle } from "./task-protocol.ts";

/** What a runner takes from the log. */
export interface RunnerLog extends Pick<LogService, "append" | "appendGroup" | "fetch" | "status"> {
  deleteRecords: LogService["deleteRecords"];
  /** What one group may carry, however much waits besides. */
  readonly groupBytesMax: number;
  /** A power loss may take what was acknowledged last. */
  readonly mayLoseTail?: boolean;
  follow(topics: readonly TopicInfo[], start: ReaderPosition): PublishOrderReader;
}

export interface QueryRunnerParts {
  readonly platform: Platform;
  readonly log: RunnerLog;
  readonly topics: Pick<TopicService, "byName" | "byId" | "create">;
  readonly publishTick: (topicNumbers: readonly number[]) => Promise<NamespaceHead>;
  readonly startTask: StartTask;
  /** See RunParts. */
  readonly pace?: QueryPace | undefined;
  readonly queryId: string;
  readonly definition: QueryDefinition;
  /** The lease under which it runs. */
  readonly guard: PublishGuard;
}

/** Between attempts after a failure that may pass. */
const retryMsMin = 200;
const retryMsMax = 10_000;

export type RunnerEnd =
  /** The lease is another's, or this worker stops: somebody else goes on. */
  | { readonly kind: "released" }
  /** It cannot go on anywhere. */
  | { readonly kind: "failed"; readonly reason: string };

export class QueryRunner {
  readonly #parts: QueryRunnerParts;
  readonly #status = new StatusKeeper();
  readonly #topics: QueryTopics;
  /** Its tasks read by themselves what is stored, until one has found an object gone. */
  #givesPlaces = true;

  constructor(parts: QueryRunnerParts) {
    this.#parts = parts;
    this.#topics = new QueryTopics(parts);
  }

  get status(): QueryStatus {
    return this.#status.current;
  }

  /**
   * Resolves when the query has ended here; aborting `signal` commits what there is and ends it.
   */
  async run(signal: AbortSignal): Promise<RunnerEnd> {
    const { platform, queryId } = this.#parts;
    for (let retryMs = retryMsMin; !signal.aborted; ) {
      const began = platform.clock.monotonic();
      try {
        await this.#runOnce(signal);
      } catch (error) {
        if (signal.aborted) break;
        const end = await this.#endOf(error);
        if (end !== undefined) return end;
        platform.log.warn("A query starts over from its last commit", { query: queryId, error });
        this.#status.restarted(String(error));
        if (platform.clock.monotonic() - began > retryMsMax) retryMs = retryMsMin;
        await platform.timers.sleep(retryMs, signal);
        retryMs = Math.min(2 * retryMs, retryMsMax);
      }
    }
    return { kind: "released" };
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    const { definition, log, platform, publishTick, guard, queryId, pace } = this.#parts;
    const inputs = await this.#topics.inputs();
    const names = new Map(inputs.map((topic) => [topic.topicNumber, topic.name as string]));
    const over = new AbortController();
    const output = await this.#topics.output();
    const checkpoints = new CheckpointLog({
      ...{ platform, log, guard, groupId: queryId, topic: await this.#topics.checkpoints() },
      ...(output.writer === queryId && { output }),
      groupBytesMax: log.groupBytesMax,
      mayLoseTail: log.mayLoseTail ?? false,
      topicOf: (name) => this.#topics.written(name),
      signal: AbortSignal.any([signal, over.signal]),
    });
    const loaded = await checkpoints.load();
    const start: ReaderPosition = loaded ?? definition.start;
    await this.#refuseLost(inputs, start);
    if (signal.aborted) return;
    const task = await this.#startTask(loaded, names);
    const reader = log.follow(inputs, start);
    const run = new Run({
      ...{ platform, task, checkpoints, names, publishTick, pace, signal },
      settings: definition.settings,
      beginsWithRows: loaded === null && hasValues(definition.plan.root),
      reader,
      status: this.#status,
      givesPlaces: this.#givesPlaces && task.readsPlaces === true,
      batchesOf: (outputs) => this.#topics.batchesOf(outputs),
    });
    try {
      await run.loop();
    } finally {
      task.close();
      reader.close();
      over.abort();
      await run.settled();
    }
  }

  async #startTask(
    loaded: LoadedCommit | null,
    names: ReadonlyMap<number, string>,
  ): Promise<TaskHandle> {
    const { definition, startTask } = this.#parts;
    const { partitionCount, config } = await this.#topics.output();
    const batchBytesMax = topicConfigNumber(config, "max.message.bytes");
    const task = await startTask({
      plan: planToText(definition.plan),
      shape: definition.shape,
      ...definition.settings,
      ...{ states: [], isRestored: loaded !== null },
      ...{ isBounded: false, partitionCount },
      ...(batchBytesMax !== null && { batchBytesMax }),
      sideBytesMax: await this.#topics.sideBytesMax(),
      partitions: definition.start.cursors.map(({ topicNumber, partition }) => ({
        topic: names.get(topicNumber) ?? "",
        partition,
      })),
    });
    if (loaded === null) return task;
    try {
      for await (const state of loaded.states()) await task.send({ kind: "restore", state });
      await task.send({ kind: "restore", state: null });
      return task;
    } catch (error) {
      task.close();
      throw error;
    }
  }

  /**
   * Records that the newest commit has read may be gone, and it with no older one to go back to.
   * What has been read since then is another matter: it is read again from there.
   * @throws StreamError `corrupt_state`
   */
  async #refuseLost(topics: readonly TopicInfo[], { cursors }: ReaderPosition): Promise<void> {
    const { log, definition } = this.#parts;
    for (const { topicNumber, partition, nextOffset } of cursors) {
      const topic = topics.find((each) => each.topicNumber === topicNumber);
      if (topic === undefined) continue;
      const [status] = await log.status([{ topic, partition }]);
      if (status === undefined || status.highOffset >= nextOffset) continue;
      const { highOffset } = status;
      throw new StreamError(
        "corrupt_state",
        `Cannot go on: the records ${highOffset} to ${nextOffset - 1} of "${topic.name}"/` +
          `${partition} are lost, which results were made of, and no commit from before is left. ` +
          `Drop the query and make it again to fill "${definition.output.name}" from what is there`,
        { details: { topic: topic.name, partition, offset: highOffset } },
      );
    }
  }

  /** What no other try can mend ends the query; undefined: try again. */
  async #endOf(error: unknown): Promise<RunnerEnd | undefined> {
    if (!isStreamError(error)) return undefined;
    if (error.code === "guard_failed") return { kind: "released" };
    if (error.code === "topic_unknown" || error.code === "partition_unknown") {
      // Topics of late rows and of errors may go, also with another query: they are made again.
      const missing = await this.#topics.missing().catch(() => undefined);
      return missing === undefined ? undefined : { kind: "failed", reason: deleted(missing) };
    }
    // The index knows where the records lie by now, or that they are lost: fetches tell.
    if (error.code === "object_missing" && this.#givesPlaces) {
      this.#givesPlaces = false;
      return undefined;
    }
    // What was read ahead of the newest commit was cut: it is read again as it is now.
    if (error.code === "offset_out_of_range" && error.details["isCut"] === true) return undefined;
    // A state that does not fit its memory does not fit it the next time either.
    const isLasting =
      error.code === "sql_memory_exceeded" ||
      (error.kind !== "unavailable" && error.kind !== "exhausted" && error.kind !== "fenced");
    return isLasting ? { kind: "failed", reason: error.message } : undefined;
  }
}
