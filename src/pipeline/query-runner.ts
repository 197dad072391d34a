/**
 * Runs one query on this worker while its lease is held: reads its inputs in publish order, feeds
 * its task, and commits what comes out together with the state. After a failure that may pass it
 * starts over from the newest commit, so that what was not committed has never happened.
 */
import type { Platform } from "../base/platform.ts";
import { isStreamError, StreamError } from "../base/stream-error.ts";
import type { AppendBatch, CreateTopic, LogService, TopicService } from "../log/log-types.ts";
import type { Publish, PublishOrderReader, ReaderPosition } from "../log/publish-order-reader.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import type { NamespaceHead } from "../meta/publish-order.ts";
import type { OffsetToCommit, PublishGuard } from "../meta/publish-request.ts";
import { readBatchHeader } from "../record/batch.ts";
import type { OutputBatch, OutputKind } from "../sql/engine/task-output.ts";
import { planToText } from "../sql/plan/plan-text.ts";
import { CheckpointLog } from "./checkpoint-log.ts";
import type { QueryDefinition } from "./query-definition.ts";
import { type QueryStatus, StatusKeeper } from "./query-status.ts";
import type { StartTask, TaskHandle, TaskReply } from "./task-protocol.ts";
import { taskPublishOf } from "./task-publish.ts";

/** What a runner takes from the log. */
export interface RunnerLog extends Pick<LogService, "append" | "appendGroup" | "fetch" | "status"> {
  deleteRecords: LogService["deleteRecords"];
  follow(topics: readonly TopicInfo[], start: ReaderPosition): PublishOrderReader;
}

export interface QueryRunnerParts {
  readonly platform: Platform;
  readonly log: RunnerLog;
  readonly topics: Pick<TopicService, "byName" | "byId" | "create">;
  readonly publishTick: (topicNumbers: readonly number[]) => Promise<NamespaceHead>;
  readonly startTask: StartTask;
  readonly queryId: string;
  readonly definition: QueryDefinition;
  /** The lease under which it runs. */
  readonly guard: PublishGuard;
}

/** Bytes of publishes that a task is given at once, and that it may have before it. */
const sliceBytes = 4 * 1024 * 1024;
const slicesAheadMax = 2;
/** Between looks for something new while nothing comes. */
const waitMsMax = 1_000;
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
  readonly #status: StatusKeeper;
  readonly #topics = new Map<OutputKind, TopicInfo>();

  constructor(parts: QueryRunnerParts) {
    this.#parts = parts;
    this.#status = new StatusKeeper();
  }

  get status(): QueryStatus {
    return this.#status.current;
  }

  /**
   * Resolves when the query has ended here; aborting `signal` commits what there is and ends it.
   */
  async run(signal: AbortSignal): Promise<RunnerEnd> {
    const { platform, queryId } = this.#parts;
    for (let retryMs = retryMsMin; ; ) {
      const began = platform.clock.monotonic();
      try {
        await this.#runOnce(signal);
        return { kind: "released" };
      } catch (error) {
        if (signal.aborted) return { kind: "released" };
        const end = endOf(error);
        if (end !== undefined) return end;
        platform.log.warn("A query starts over from its last commit", { query: queryId, error });
        this.#status.restarted(String(error));
        if (platform.clock.monotonic() - began > retryMsMax) retryMs = retryMsMin;
        await platform.timers.sleep(retryMs, signal);
        retryMs = Math.min(2 * retryMs, retryMsMax);
      }
    }
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    const { definition, startTask, log } = this.#parts;
    const inputs = await this.#inputs();
    const checkpoints = await this.#checkpoints();
    const loaded = await checkpoints.load();
    const names = new Map(inputs.map((topic) => [topic.topicNumber, topic.name as string]));
    const start: ReaderPosition = loaded ?? definition.start;
    const task = await startTask({
      plan: planToText(definition.plan),
      shape: definition.shape,
      ...definition.settings,
      states: loaded?.state ?? [],
      isBounded: false,
      partitions: start.cursors.map(({ topicNumber, partition }) => ({
        topic: names.get(topicNumber) ?? "",
        partition,
      })),
    });
    try {
      const run = new Run({
        ...{ parts: this.#parts, task, checkpoints, inputs, names, signal },
        reader: log.follow(inputs, start),
        status: this.#status,
        batchesOf: (outputs) => this.#batchesOf(outputs),
      });
      await run.loop();
    } finally {
      task.close();
    }
  }

  async #inputs(): Promise<TopicInfo[]> {
    const found: TopicInfo[] = [];
    for (const { name, topicId } of this.#parts.definition.inputs) {
      const topic = await this.#parts.topics.byId(topicId as TopicInfo["topicId"]);
      if (topic === undefined) throw gone(name);
      found.push(topic);
    }
    return found;
  }

  async #checkpoints(): Promise<CheckpointLog> {
    const { platform, log, topics, definition, guard, queryId } = this.#parts;
    const { name, topicId } = definition.checkpoints;
    const topic = await topics.byId(topicId as TopicInfo["topicId"]);
    if (topic === undefined) throw gone(name);
    const topicOf = (wanted: string) => topics.byName(wanted);
    return new CheckpointLog({ platform, log, topic, groupId: queryId, guard, topicOf });
  }

  async #batchesOf(outputs: readonly OutputBatch[]): Promise<AppendBatch[]> {
    const batches: AppendBatch[] = [];
    for (const { kind, bytes } of outputs) {
      const topic = await this.#topicOf(kind);
      batches.push({ topic, partition: 0, bytes, header: readBatchHeader(bytes) });
    }
    return batches;
  }

  /** Topics for what is late or wrong are made when there is something to put there. */
  async #topicOf(kind: OutputKind): Promise<TopicInfo> {
    const known = this.#topics.get(kind);
    if (known !== undefined) return known;
    const { topics, definition, queryId } = this.#parts;
    const { name, topicId } = definition.output;
    let topic: TopicInfo | undefined;
    if (kind === "result") topic = await topics.byId(topicId as TopicInfo["topicId"]);
    else topic = await this.#sideTopic(`${name}.${kind === "late" ? "late" : "errors"}`, queryId);
    if (topic === undefined) throw gone(name);
    this.#topics.set(kind, topic);
    return topic;
  }

  async #sideTopic(name: string, writer: string): Promise<TopicInfo> {
    const { topics } = this.#parts;
    const request: CreateTopic = {
      name,
      partitionCount: 1,
      replicationFactor: -1,
      config: {},
      writer,
    };
    try {
      return (await topics.byName(name)) ?? (await topics.create(request));
    } catch (error) {
      if (!isStreamError(error, "topic_exists")) throw error;
      const topic = await topics.byName(name);
      if (topic === undefined) throw error;
      return topic;
    }
  }
}

interface RunParts {
  readonly parts: QueryRunnerParts;
  readonly task: TaskHandle;
  readonly checkpoints: CheckpointLog;
  readonly inputs: readonly TopicInfo[];
  readonly names: ReadonlyMap<number, string>;
  readonly reader: PublishOrderReader;
  readonly status: StatusKeeper;
  readonly batchesOf: (outputs: readonly OutputBatch[]) => Promise<AppendBatch[]>;
  readonly signal: AbortSignal;
}

/** From a commit until the task ends: all that is lost when it fails is what was not committed. */
class Run {
  readonly #run: RunParts;
  /** Replies that were not waited for, oldest first. */
  readonly #ahead: Promise<TaskReply>[] = [];
  #committing: Promise<void> = Promise.resolve();
  #commitFailure: unknown;
  #committedAt: number;
  #hasNews = false;
  #nextTickAt: number | null = null;

  constructor(run: RunParts) {
    this.#run = run;
    this.#committedAt = run.parts.platform.clock.monotonic();
  }

  async loop(): Promise<void> {
    const { reader, signal } = this.#run;
    while (!signal.aborted) {
      if (this.#commitFailure !== undefined) throw this.#commitFailure;
      const slice = await reader.next({ bytesMax: sliceBytes, waitMsMax: this.#waitMs(), signal });
      if (slice.publishes.length > 0) await this.#feed(slice.publishes, () => slice.release());
      else await this.#settle(0);
      await this.#tickIfDue();
      if (this.#commitIsDue()) await this.#commit();
    }
    await this.#commit();
    await this.#committing;
    if (this.#commitFailure !== undefined) throw this.#commitFailure;
  }

  async #feed(publishes: readonly Publish[], release: () => void): Promise<void> {
    const { task, names } = this.#run;
    this.#hasNews = true;
    const sent = task.send({
      kind: "publishes",
      publishes: publishes.map((each) => taskPublishOf(each, names)),
    });
    // Its failure is met where the reply is waited for.
    sent.catch(() => {}).finally(release);
    this.#ahead.push(sent);
    await this.#settle(slicesAheadMax);
  }

  /** Waits until no more than `left` requests are before the task. */
  async #settle(left: number): Promise<void> {
    while (this.#ahead.length > left) {
      const reply = await (this.#ahead[0] as Promise<TaskReply>);
      this.#ahead.shift();
      this.#note(reply);
    }
  }

  #note({ statistics, nextTickAt }: TaskReply): void {
    this.#nextTickAt = nextTickAt;
    this.#run.status.processed(statistics);
  }

  /** Until a commit or a tick may be due. */
  #waitMs(): number {
    const { clock } = this.#run.parts.platform;
    let waitMs = waitMsMax;
    if (this.#hasNews) waitMs = this.#commitDelayMs();
    if (this.#nextTickAt !== null) waitMs = Math.min(waitMs, this.#nextTickAt - clock.now());
    return Math.max(1, Math.min(waitMs, waitMsMax));
  }

  #commitDelayMs(): number {
    const { platform, definition } = this.#run.parts;
    const dueAt = this.#committedAt + definition.settings.commitIntervalMs;
    return dueAt - platform.clock.monotonic();
  }

  /** A tick is published only when it would let a partition go idle or a window close. */
  async #tickIfDue(): Promise<void> {
    const { platform, publishTick } = this.#run.parts;
    const dueAt = this.#nextTickAt;
    if (dueAt === null || platform.clock.now() < dueAt || this.#ahead.length > 0) return;
    const head = await publishTick(this.#run.inputs.map(({ topicNumber }) => topicNumber));
    // The database's clock decides; where it is behind ours, the next tick waits for it.
    this.#nextTickAt =
      head.publishedAt < dueAt ? platform.clock.now() + (dueAt - head.publishedAt) : null;
  }

  #commitIsDue(): boolean {
    return this.#hasNews && this.#commitDelayMs() <= 0;
  }

  /** Asks the task for what it has made, and publishes it while the task goes on. */
  async #commit(): Promise<void> {
    if (!this.#hasNews) return;
    await this.#committing;
    if (this.#commitFailure !== undefined) throw this.#commitFailure;
    const { task, reader, checkpoints, parts, batchesOf, status } = this.#run;
    this.#hasNews = false;
    this.#committedAt = parts.platform.clock.monotonic();
    const { publishPosition, cursors } = reader.position;
    const kind = checkpoints.wantsFull ? "full" : "delta";
    const replying = task.send({ kind: "commit", state: kind });
    await this.#settle(0);
    const reply = await replying;
    this.#note(reply);
    refuseErrors(parts.definition, reply.outputs);
    const bytes = reply.state ?? new Uint8Array(0);
    const results = await batchesOf(reply.outputs);
    const offsets = cursors.map(offsetOf);
    this.#committing = checkpoints
      .commit({ publishPosition, cursors, state: { kind, bytes }, results, offsets })
      .then(
        () =>
          status.committed({
            publishPosition,
            cursors,
            stateBytes: bytes.length,
            at: parts.platform.clock.now(),
          }),
        (error: unknown) => {
          this.#commitFailure = error;
        },
      );
  }
}

function offsetOf({
  topicNumber,
  partition,
  nextOffset,
}: ReaderPosition["cursors"][number]): OffsetToCommit {
  return { topicNumber, partition, committedOffset: nextOffset, leaderEpoch: -1, metadata: "" };
}

/** Settings may have a query stop at the first row that is wrong or late. */
function refuseErrors({ settings }: QueryDefinition, outputs: readonly OutputBatch[]): void {
  const stops = (kind: OutputKind) =>
    (kind === "error" && settings.onError === "stop") ||
    (kind === "late" && settings.onLate === "stop");
  const first = outputs.find(({ kind }) => stops(kind));
  if (first === undefined) return;
  const what = first.kind === "error" ? "is in error" : "is late";
  throw new StreamError("sql_evaluation_failed", `A row ${what}, and the query is to stop then`);
}

function gone(name: string): StreamError {
  return new StreamError("topic_unknown", `The topic "${name}" was deleted`, {
    details: { topic: name },
  });
}

/** What no other try can mend ends the query; undefined: try again. */
function endOf(error: unknown): RunnerEnd | undefined {
  if (!isStreamError(error)) return undefined;
  if (error.code === "guard_failed") return { kind: "released" };
  // A state that does not fit its memory does not fit it the next time either.
  const isLasting =
    error.code === "sql_memory_exceeded" ||
    (error.kind !== "unavailable" && error.kind !== "exhausted" && error.kind !== "fenced");
  return isLasting ? { kind: "failed", reason: error.message } : undefined;
}
