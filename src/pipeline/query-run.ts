/**
 * A query between two failures: from a commit until its task ends. Publishes go to the task a slice
 * at a time, a few ahead of it; what it has made goes out in commits, one on its way at a time,
 * while the next slices are worked on. All that is lost when it fails is what was not committed.
 */
import { assert } from "../base/assert.ts";
import type { Platform } from "../base/platform.ts";
import { isStreamError, StreamError } from "../base/stream-error.ts";
import type { AppendBatch } from "../log/log-types.ts";
import type {
  Publish,
  PublishOrderReader,
  PublishSlice,
  ReaderPosition,
} from "../log/publish-order-reader.ts";
import type { NamespaceHead } from "../meta/publish-order.ts";
import type { OffsetToCommit } from "../meta/publish-request.ts";
import { decodeRecords } from "../record/batch-records.ts";
import type { OutputBatch, OutputKind } from "../sql/engine/task-output.ts";
import type { CheckpointLog } from "./checkpoint-log.ts";
import { PlacePace, sliceBytes } from "./place-pace.ts";
import type { QuerySettings } from "./query-definition.ts";
import type { QueryPace } from "./query-pace.ts";
import type { StatusKeeper } from "./query-status.ts";
import type { PackedState, TaskHandle, TaskReply, TaskRequest } from "./task-protocol.ts";
import { taskPublishOf } from "./task-publish.ts";
import { TickTimer } from "./tick-timer.ts";

export interface RunParts {
  readonly platform: Platform;
  readonly settings: QuerySettings;
  readonly task: TaskHandle;
  /** The task is given places of what is stored, where it may be. */
  readonly givesPlaces: boolean;
  readonly checkpoints: CheckpointLog;
  /** Topics that are read, by their numbers. */
  readonly names: ReadonlyMap<number, string>;
  readonly reader: PublishOrderReader;
  readonly status: StatusKeeper;
  readonly publishTick: (topicNumbers: readonly number[]) => Promise<NamespaceHead>;
  readonly batchesOf: (outputs: readonly OutputBatch[]) => Promise<AppendBatch[]>;
  /** Absent: it has a thread of its own. */
  readonly pace?: QueryPace | undefined;
  /** The task has begun anew, with rows that the statement itself gives: they are committed. */
  readonly beginsWithRows: boolean;
  readonly signal: AbortSignal;
}

/** Slices of publishes that a task may have before it, beside the one that it works on. */
const slicesAheadMax = 1;
/** Of what one group may carry, results of a slice beyond which slices are not to grow. */
const heavyShare = 16;
/** Between looks for something new while nothing comes. */
const waitMsMax = 1_000;
/** A peer's publish may be heard of so late by a worker that keeps pace. */
const heardMsMax = 1_000;
/** Between attempts at what the metadata or the store did not answer. */
const againMsMin = 50;
const againMsMax = 2_000;
/** The row that stopped a query is shown; a batch of them, decompressed, is no larger. */
const errorBytesMax = 64 * 1024 * 1024;

export class Run {
  readonly #run: RunParts;
  /** Replies that were not waited for, oldest first. */
  readonly #ahead: Promise<TaskReply>[] = [];
  #committing: Promise<void> = Promise.resolve();
  #commitFailure: unknown;
  #committedAt: number;
  #hasNews = false;
  /** What came last had been published longer ago than commits are apart. */
  #isBehind = false;
  /** It was, and has met the end: nobody is to wait for what the backlog gave. */
  #hasCaughtUp = false;
  /** Of results that the task holds, as of its last reply. */
  #outputBytes = 0;
  /** What one slice has added to them lately. */
  #sliceOutputBytes = 0;
  /** The task has no room for more before a commit. */
  #awaitsCommit = false;
  #nextTickAt: number | null = null;
  readonly #ticks: TickTimer;
  /** Undefined where the task is given all bytes. */
  readonly #places: PlacePace | undefined;
  /** Monotonic, of the last reply. */
  #repliedAt = Number.NEGATIVE_INFINITY;
  /** A tick was published that the task has not met. */
  #tickIsDue = false;
  #againMs = againMsMin;

  constructor(run: RunParts) {
    this.#run = run;
    this.#committedAt = run.platform.clock.monotonic();
    this.#hasNews = run.beginsWithRows;
    this.#ticks = new TickTimer(run.platform.clock, run.reader);
    this.#places = run.givesPlaces ? new PlacePace(run.settings.memoryBytesMax) : undefined;
  }

  /** Ends when the signal aborts, after a last commit. */
  async loop(): Promise<void> {
    const { signal, pace } = this.#run;
    await this.#learnTick();
    while (!signal.aborted) {
      this.#throwFailedCommit();
      await pace?.turn(signal);
      const slice = await this.#next();
      if (slice !== null && slice.publishes.length > 0) {
        await this.#feed(slice.publishes, () => slice.release());
      } else {
        await this.#settle(0);
        if (slice !== null) {
          this.#hasCaughtUp = this.#isBehind && this.#hasNews;
          this.#isBehind = false;
          await this.#tickIfDue();
        }
      }
      if (this.#commitIsDue()) await this.#commit();
    }
    await this.#commit();
    await this.#committing;
    this.#throwFailedCommit();
  }

  /** A task that goes on from a commit may have a window open that closes though nothing comes. */
  async #learnTick(): Promise<void> {
    this.#note(await this.#run.task.send({ kind: "ask" }));
  }

  /**
   * Resolves when no commit of this run is on its way any more. Whoever goes on from the newest
   * commit waits for it: under the same lease, one that lands later would be done twice.
   */
  settled(): Promise<void> {
    return this.#committing;
  }

  /** What is published next; null when that could not be found out, for now. */
  async #next(): Promise<PublishSlice | null> {
    const { reader } = this.#run;
    try {
      // One that was behind wants to know of the end at once; what time it is for a tick is known by
      // a look alone.
      const looks = this.#tickIsDue || this.#isBehind || !Number.isFinite(reader.databaseNow());
      const slice = await this.#slice(looks ? 0 : this.#waitMs());
      this.#againMs = againMsMin;
      this.#tickIsDue = false;
      return slice;
    } catch (error) {
      await this.#awaitPassing(error);
      return null;
    }
  }

  #slice(waitMsMax: number): Promise<PublishSlice> {
    const { reader, signal, pace } = this.#run;
    const bytesMax = pace?.sliceBytes ?? sliceBytes;
    const placesBytesMax = this.#places?.bytes ?? 0;
    return reader.next({ bytesMax, placesBytesMax, waitMsMax, signal });
  }

  /** A state that took long to build is not given up because a question went unanswered. */
  async #awaitPassing(error: unknown): Promise<void> {
    if (!isStreamError(error) || error.kind !== "unavailable") throw error;
    const { platform, signal } = this.#run;
    platform.log.debug("a query waits for what does not answer", { error: error.message });
    await platform.timers.sleep(this.#againMs, signal);
    this.#againMs = Math.min(2 * this.#againMs, againMsMax);
  }

  async #feed(publishes: readonly Publish[], release: () => void): Promise<void> {
    const { names, reader, settings, pace } = this.#run;
    this.#hasNews = true;
    const [oldest] = publishes;
    const lagMs = reader.databaseNow() - (oldest?.publishedAt ?? 0);
    // While it keeps pace it commits by its interval, however little there is between publishes.
    this.#isBehind ||= lagMs > settings.commitIntervalMs + heardMsMax;
    const sentAt = this.#run.platform.clock.monotonic();
    const sending = this.#send(
      { kind: "publishes", publishes: publishes.map((each) => taskPublishOf(each, names)) },
      bytesOf(publishes),
    );
    const sent = sending.then((reply) => this.#timed(reply, sentAt));
    // Its failure is met where the reply is waited for.
    sent.catch(() => {}).finally(release);
    this.#ahead.push(sent);
    await this.#settle(pace === undefined ? slicesAheadMax : 0);
  }

  #send(request: TaskRequest, bytes = 0): Promise<TaskReply> {
    const { task, pace } = this.#run;
    return pace === undefined ? task.send(request) : pace.step(() => task.send(request), bytes);
  }

  /** As it came: how long it took says how much the next slices may hold. */
  #timed(reply: TaskReply, sentAt: number): TaskReply {
    const now = this.#run.platform.clock.monotonic();
    const tookMs = now - Math.max(sentAt, this.#repliedAt);
    this.#repliedAt = now;
    const { groupBytesMax } = this.#run.checkpoints;
    const isHeavy = reply.awaitsCommit || this.#sliceOutputBytes > groupBytesMax / heavyShare;
    this.#places?.note(tookMs, isHeavy);
    return reply;
  }

  /** Waits until no more than `left` requests are before the task. */
  async #settle(left: number): Promise<void> {
    while (this.#ahead.length > left) {
      const reply = await (this.#ahead[0] as Promise<TaskReply>);
      this.#ahead.shift();
      this.#note(reply);
    }
  }

  #note({ statistics, nextTickAt, outputBytes, awaitsCommit }: TaskReply): void {
    this.#nextTickAt = nextTickAt;
    this.#awaitsCommit = awaitsCommit;
    // Falls slowly: a slice that gives nothing says little of the next.
    const added = Math.max(0, outputBytes - this.#outputBytes);
    this.#sliceOutputBytes = Math.max(added, this.#sliceOutputBytes / 2);
    this.#outputBytes = outputBytes;
    this.#run.status.processed(statistics);
  }

  /** Until a commit or a tick may be due. */
  #waitMs(): number {
    const { pace } = this.#run;
    let waitMs = pace === undefined ? waitMsMax : Number.POSITIVE_INFINITY;
    if (this.#hasNews) waitMs = this.#commitDelayMs();
    if (this.#nextTickAt !== null) waitMs = Math.min(waitMs, this.#ticks.delayMs(this.#nextTickAt));
    const bounded = Math.max(1, waitMs);
    return pace?.rest(bounded) ?? Math.min(bounded, waitMsMax);
  }

  #commitDelayMs(): number {
    const { platform, settings } = this.#run;
    return this.#committedAt + settings.commitIntervalMs - platform.clock.monotonic();
  }

  /**
   * A tick is published only when it would let a partition go idle or a window close, and only by a
   * query that has met everything before it.
   */
  async #tickIfDue(): Promise<void> {
    const { publishTick, names, signal } = this.#run;
    const dueAt = this.#nextTickAt;
    if (signal.aborted || dueAt === null || this.#ticks.delayMs(dueAt) > 0) return;
    this.#ticks.published();
    try {
      await publishTick([...names.keys()]);
      this.#tickIsDue = true;
    } catch (error) {
      await this.#awaitPassing(error);
    }
  }

  #commitIsDue(): boolean {
    if (!this.#hasNews) return false;
    if (this.#hasCaughtUp || this.#awaitsCommit) return true;
    // Slices that are before the task, and one more, add to what the commit will hold. Results that
    // outgrow a group are written twice.
    const expected = this.#sliceOutputBytes * (this.#ahead.length + 1);
    const { groupBytesMax } = this.#run.checkpoints;
    return this.#commitDelayMs() <= 0 || this.#outputBytes + expected > groupBytesMax;
  }

  #throwFailedCommit(): void {
    if (this.#commitFailure !== undefined) throw this.#commitFailure;
  }

  /** Asks the task for what it has made, and publishes it while the task goes on. */
  async #commit(): Promise<void> {
    if (!this.#hasNews) return;
    await this.#committing;
    this.#throwFailedCommit();
    const { task, reader, checkpoints, platform } = this.#run;
    this.#hasNews = false;
    this.#hasCaughtUp = false;
    this.#committedAt = platform.clock.monotonic();
    const { publishPosition, cursors } = reader.position;
    const kind = checkpoints.wantsFull ? "full" : "delta";
    const replying = this.#send({ kind: "commit", state: kind });
    // Where a request before it fails, nobody waits for this reply.
    replying.catch(() => {});
    const goesOn = await this.#feedBeside();
    await this.#settle(goesOn ? 1 : 0);
    const first = await replying;
    this.#note(first);
    this.#outputBytes = 0;
    assert(
      !(goesOn && (first.stateIsLeft || first.outputsAreLeft)),
      "a task that commits in parts has been fed nothing more",
    );
    const { reply, results } = await this.#resultsOf(first);
    const { state, stateBytes } = await this.#stateOf(kind, reply);
    const offsets = cursors.map(offsetOf);
    const stored = results.map((each) => each.bytes);
    this.#committing = this.#publish(
      {
        ...{ publishPosition, cursors, state, results, offsets },
        committed: reply.committed,
      },
      { stateBytes, onStored: () => task.giveBack(stored) },
    );
  }

  /**
   * Of a backlog, a slice behind the commit that was asked for: the task goes on with it while what
   * it has made is published. Gives whether there was one.
   */
  async #feedBeside(): Promise<boolean> {
    const { pace, signal } = this.#run;
    // What shares its thread with others takes one step at a time.
    if (!this.#isBehind || signal.aborted || pace !== undefined) return false;
    // What fails here fails again when the loop asks for it, and must not cost the commit.
    const slice = await this.#slice(0).catch(() => null);
    if (slice === null) return false;
    const isEmpty = slice.publishes.length === 0;
    if (isEmpty) slice.release();
    else await this.#feed(slice.publishes, () => slice.release());
    return !isEmpty;
  }

  /**
   * All results, and the reply that brought the last of them. Where they came in parts they are
   * stored by then, and no longer in memory: none is left to be published with the commit.
   */
  async #resultsOf(first: TaskReply) {
    const { checkpoints, task, batchesOf, settings, platform } = this.#run;
    let reply = first;
    for (;;) {
      refuseErrors(settings, reply.outputs, platform);
      const results = await batchesOf(reply.outputs);
      if (reply === first && !reply.outputsAreLeft) return { reply, results };
      await checkpoints.storeResults(results);
      task.giveBack(results.map(({ bytes }) => bytes));
      if (!reply.outputsAreLeft) return { reply, results: [] };
      reply = await this.#rest();
    }
  }

  /** More of a commit. It may be long: what runs in an object waits for its next event then. */
  async #rest(): Promise<TaskReply> {
    const { pace, signal } = this.#run;
    await pace?.turn(signal);
    return await this.#send({ kind: "rest" });
  }

  /** Of a large state the last part; those before it are stored, and no longer in memory. */
  async #stateOf(kind: PackedState["kind"], reply: TaskReply) {
    const { checkpoints } = this.#run;
    let state: PackedState = { kind, bytes: reply.state ?? new Uint8Array(0) };
    let stateBytes = state.bytes.length;
    for (let isLeft = reply.stateIsLeft; isLeft; ) {
      await checkpoints.store(state);
      const rest = await this.#rest();
      state = { kind: "delta", bytes: rest.state ?? new Uint8Array(0) };
      stateBytes += state.bytes.length;
      isLeft = rest.stateIsLeft;
    }
    return { state, stateBytes };
  }

  /** Never rejects: a failure is met by the loop. */
  async #publish(
    commit: Parameters<CheckpointLog["commit"]>[0],
    { stateBytes, onStored }: { readonly stateBytes: number; readonly onStored: () => void },
  ): Promise<void> {
    const { checkpoints, status, platform } = this.#run;
    try {
      await checkpoints.commit(commit);
      onStored();
      const { publishPosition, cursors } = commit;
      status.committed({ publishPosition, cursors, stateBytes, at: platform.clock.now() });
    } catch (error) {
      this.#commitFailure = error;
    }
  }
}

function bytesOf(publishes: readonly Publish[]): number {
  let bytes = 0;
  for (const { runs } of publishes) {
    for (const { batches } of runs) for (const batch of batches) bytes += batch.length;
  }
  return bytes;
}

function offsetOf({
  topicNumber,
  partition,
  nextOffset,
}: ReaderPosition["cursors"][number]): OffsetToCommit {
  return { topicNumber, partition, committedOffset: nextOffset, leaderEpoch: -1, metadata: "" };
}

/** Settings may have a query stop at the first row that is wrong or late. */
function refuseErrors(
  settings: QuerySettings,
  outputs: readonly OutputBatch[],
  { codecs }: Pick<Platform, "codecs">,
): void {
  const stops = (kind: OutputKind) =>
    (kind === "error" && settings.onError === "stop") ||
    (kind === "late" && settings.onLate === "stop");
  const first = outputs.find(({ kind }) => stops(kind));
  if (first === undefined) return;
  const [record] = decodeRecords(first.bytes, { codecs, sizeMax: errorBytesMax });
  const row = JSON.parse(new TextDecoder().decode(record?.value ?? new Uint8Array())) as {
    readonly topic: string | null;
    readonly partition: number | null;
    readonly offset: number | null;
    readonly reason: string;
  };
  const where =
    row.topic === null ? "" : ` at "${row.topic}"/${row.partition} offset ${row.offset}`;
  const what = first.kind === "error" ? "is in error" : "is late";
  throw new StreamError(
    "sql_evaluation_failed",
    `A row${where} ${what}, and the query is to stop then: ${row.reason}`,
    { details: { topic: row.topic, partition: row.partition, offset: row.offset } },
  );
}
