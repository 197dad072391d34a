/**
 * A running query: its operators, event time and state, fed publish by publish. It knows no storage
 * and no clock; whoever runs it reads the log, commits what it has made, and restores it elsewhere.
 *
 * Order of a publish: partitions that begin with it, windows over processing time that have passed,
 * idleness and what closes by it, rows run by run, watermarks. All of it synchronous.
 */
import { assert, present } from "../../base/assert.ts";
import type { BufferPool } from "../../base/buffer-pool.ts";
import type { Platform } from "../../base/platform.ts";
import { encloseRecords } from "../../record/batch-encode.ts";
import { splitRecords } from "../../record/split-records.ts";
import type { StoredPlace, StoredStretch } from "../../segment/stored-stretch.ts";
import { hostFunctions } from "../functions/catalog.ts";
import { checksumOf } from "../kernel/checksum.ts";
import type { SourceBatch } from "../kernel/record-walk.ts";
import { freeRecords, sourceBatchesOf, sourceBatchOf } from "../kernel/source-batch.ts";
import { SpillSpace } from "../kernel/spill-space.ts";
import type { EmitMode, PlanNode, QueryPlan, SourceNode } from "../plan/plan.ts";
import { shareSources } from "../plan/share-sources.ts";
import type { RecordChunk } from "../sqlite/emitter.ts";
import { registerFunctions } from "../sqlite/functions.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import type { ScratchDisk } from "../sqlite/scratch-disk.ts";
import type { StateFile } from "../sqlite/vfs.ts";
import {
  activity,
  type CommittedTime,
  EventTime,
  type EventTimeState,
  endOfTime,
  type InputPartition,
  noTime,
} from "../time/event-time.ts";
import { AppendSink, type RecordShape } from "./append-sink.ts";
import { directChangesOf } from "./direct-changes.ts";
import { buildGraph, type Graph } from "./graph.ts";
import { HeldOutputs } from "./held-outputs.ts";
import type { Operator, OperatorContext, StatePart } from "./operator.ts";
import { SideOutput } from "./side-output.ts";
import { SortOperator } from "./sort-operator.ts";
import { encodeStateBlob } from "./state-blob.ts";
import type { OutputBatch } from "./task-output.ts";
import { pagesPart, partOf, type SavedParts, type SavedState, TaskPages } from "./task-pages.ts";
import { UpsertSink } from "./upsert-sink.ts";

export interface TaskRun {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  /** Whole record batches, in order; read before `publish` returns. */
  readonly batches: readonly Uint8Array[];
  /** In place of them: as they are stored. Bytes are read before `publish` returns, too. */
  readonly stored?: StoredStretch;
  /** In place of both: who hands the publish on reads it first (`StretchReads`). */
  readonly place?: StoredPlace;
}

export interface TaskPublish {
  readonly publishedAt: number;
  /** None: a tick. */
  readonly runs: readonly TaskRun[];
  /** Partitions that exist from this publish on. */
  readonly created: readonly { readonly topic: string; readonly partition: number }[];
  /** Of commits of the queries that write the topics. */
  readonly committed?: readonly (CommittedTime & { readonly topic: string })[];
}

export interface QueryTaskOptions {
  readonly plan: QueryPlan;
  readonly shape: RecordShape;
  readonly host: SqliteHost;
  readonly platform: Pick<Platform, "codecs" | "crc32c">;
  readonly seed: bigint;
  readonly stateBytesMax: number;
  /** Event times further past publishedAt do not move the watermark. */
  readonly aheadMsMax: number;
  readonly quietTimeoutMs: number;
  /** The query ends: nothing is held back to be corrected, so every row that comes out is final. */
  readonly isBounded: boolean;
  /** Where pages of tables go that do not fit; without it all stay, within the memory's bound. */
  readonly scratch?: ScratchDisk;
  /** Where kernels' state goes that does not fit: a disk of its own. Without it all stays. */
  readonly spillDisk?: ScratchDisk;
  /** What kernels may hold before that; absent: half of the memory. */
  readonly spillBytesMax?: number;
  /** The time before the first publish: that of rows which the statement itself gives. */
  readonly beganAt?: number;
  /** Of the topic of the results: keys go to theirs, rows without a key to one until a commit. */
  readonly partitionCount?: number;
  /**
   * Of a batch of results, unless it is one row; absent: what topics take where nothing is said.
   */
  readonly batchBytesMax?: number;
  /** The same of the topics of what is late or wrong. */
  readonly sideBytesMax?: number;
  /** What batches of results are written to; absent: fresh memory for each. */
  readonly buffers?: BufferPool;
  /** Of results in memory, and of those that are taken at once; absent: no bound. */
  readonly outputBytesMax?: number;
  /** A disk of their own for results beyond; absent: they stay. */
  readonly openOutputDisk?: (() => ScratchDisk) | undefined;
  /** A full state and deltas, oldest first: the task goes on from there. None: it begins. */
  readonly states: readonly SavedState[];
  /** Where states were added already, in place of `states`; over the same host and scratch disk. */
  readonly pages?: TaskPages;
  /** Pages in one state that `commit` gives; absent: all. */
  readonly statePagesMax?: number;
}

/** Some of what was made, and of a commit the state that goes with all of it. */
export interface TakenPart {
  readonly outputs: readonly OutputBatch[];
  /** More of them are to be had, by `rest`. */
  readonly outputsAreLeft: boolean;
  /** Of a commit, once all outputs were taken. */
  readonly state: Uint8Array | null;
  /** More of it is to be had, by `rest`. */
  readonly stateIsLeft: boolean;
}

export interface TaskStatistics {
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly rowsLate: number;
  readonly rowsWrong: number;
  readonly rowsAhead: number;
  readonly watermarks: readonly (number | null)[];
  readonly watermarkHolders: readonly (number | null)[];
}

/** What kernels may hold before they send to scratch disk what is cold. */
const kernelsShare = 0.5;

function spillSpaceOf({ host, spillDisk, spillBytesMax }: QueryTaskOptions): SpillSpace | null {
  if (spillDisk === undefined) return null;
  const bytesMax = spillBytesMax ?? Math.floor(host.memory.bytesMax * kernelsShare);
  return new SpillSpace(host.memory, { disk: spillDisk, bytesMax });
}

/** What topics take in a batch where nothing is said. */
const sideBytesMaxDefault = 1024 * 1024;

export class QueryTask {
  readonly #options: QueryTaskOptions;
  /** For batches of results. */
  readonly #tools: Pick<Platform, "codecs" | "crc32c">;
  readonly #nodes: readonly SourceNode[];
  readonly #time: EventTime;
  readonly #graph: Graph;
  readonly #sink: Operator;
  readonly #side: SideOutput;
  readonly #file: StateFile;
  readonly #spill: SpillSpace | null;
  readonly #outputs: HeldOutputs;
  /** Of a commit, of which state is still to be had: what sort comes next. */
  #stateToCome: "full" | "delta" | null = null;
  /** Where rows without a key go until the next commit. */
  #keylessPartition = 0;
  #now = 0;
  #rowsIn = 0;
  #rowsOut = 0;
  #rowsAhead = 0;

  /** @throws StreamError `corrupt_state`, `sql_memory_exceeded` */
  constructor(options: QueryTaskOptions) {
    this.#options = options;
    const { plan, host, seed, stateBytesMax, beganAt = 0, platform } = options;
    this.#tools = { ...platform, crc32c: checksumOf(host, platform.crc32c) };
    this.#now = beganAt;
    const {
      outputBytesMax: bytesMax = Number.POSITIVE_INFINITY,
      openOutputDisk,
      buffers,
    } = options;
    this.#outputs = new HeldOutputs({ bytesMax, openDisk: openOutputDisk, buffers });
    // Pages come before the database is opened, and tables before operators look for theirs.
    const pages = options.pages ?? new TaskPages(host, options.scratch);
    for (const state of options.states) pages.add(state);
    const { file, saved } = pages;
    this.#file = file;
    const spill = spillSpaceOf(options);
    this.#spill = spill;
    const database = this.#file.open();
    registerFunctions(database, hostFunctions);
    this.#side = new SideOutput(platform, {
      batchBytesMax: options.sideBytesMax ?? sideBytesMaxDefault,
      onBatch: (batch) => this.#outputs.add(batch),
    });
    const context: OperatorContext = {
      now: () => this.#now,
      onError: (row) => this.#side.add("error", row, this.#now),
      onLate: (row) => this.#side.add("late", row, this.#now),
      onShort: () => {
        if (this.#sink instanceof UpsertSink) this.#sink.hold();
      },
    };
    const { timeZone } = plan;
    const root = shareSources(plan.root);
    const appends = options.isBounded || root.changes === "append";
    // What the sink evaluates on the way out is no operator.
    const calc = appends && root.kind === "calc" ? root : null;
    const nodes: SourceNode[] = [];
    const direct = appends ? null : directChangesOf(root);
    this.#graph = buildGraph(calc?.input ?? root, {
      ...(direct !== null && { direct }),
      ...{ database, timeZone, context, seed, stateBytesMax, ...(spill !== null && { spill }) },
      ...{ isBounded: options.isBounded, onSource: (node) => nodes.push(node) },
    });
    this.#nodes = nodes;
    const onRecords = (chunk: RecordChunk) => this.#take(chunk);
    const { shape, batchBytesMax } = options;
    const emits = { ...shape, ...(batchBytesMax !== undefined && { batchBytesMax }) };
    const common = { database, context, shape: emits, onRecords };
    this.#sink = appends
      ? new AppendSink(this.#graph.root, { ...common, calc, timeZone })
      : new UpsertSink(this.#graph.root, {
          ...{ ...common, emit: emitOf(root) },
          ...(direct !== null && { direct }),
        });
    this.#time = new EventTime(
      nodes.map(({ watermark, idleTimeoutMs }) => ({
        delayMs: watermark?.delayMs ?? 0,
        idleTimeoutMs,
        quietTimeoutMs: options.quietTimeoutMs,
        isCommitted: watermark?.isCommitted ?? false,
      })),
    );
    if (saved.length > 0) this.#restore(saved);
  }

  /** Partitions that are there from the beginning. */
  addPartition(topic: string, partition: number): void {
    for (const [input, node] of this.#nodes.entries()) {
      if (node.topic === topic) this.#time.addPartition({ input, partition });
    }
  }

  /** Rows that the statement itself gives; once, before anything else. */
  begin(): void {
    for (const values of this.#graph.values) values.run();
  }

  publish(publish: TaskPublish): void {
    // Taken to its end, which is where its windows close.
    for (const _ of this.publishInPieces(publish, () => Number.POSITIVE_INFINITY));
  }

  /**
   * The same where others are not to wait for all of it: gives how many records each piece had,
   * once it was read. Nothing else may be asked of the task until all pieces were taken.
   */
  *publishInPieces(
    { publishedAt, runs, created, committed = [] }: TaskPublish,
    pieceRecords: () => number,
  ): Generator<number, void> {
    for (const { topic, partition } of created) this.addPartition(topic, partition);
    const now = Math.max(this.#now, publishedAt);
    if (now >= (this.#sink.nextTickAt ?? endOfTime)) this.#passPeriod();
    this.#now = now;
    for (const operator of this.#graph.operators) operator.onTime(this.#now);
    if (runs.length > 0 && this.#sink instanceof UpsertSink) this.#sink.noteRows();
    // What time alone does is done before the rows, whether or not a tick has shown it already.
    while (this.#time.pass(this.#now, this.#lastWindowEnd())) this.#moveWatermarks();
    if (runs.length > 0) yield* this.#read(runs, pieceRecords);
    for (const { topic, ...time } of committed) {
      for (const [input, node] of this.#nodes.entries()) {
        if (node.topic === topic && node.watermark?.isCommitted) this.#time.commit(input, time);
      }
    }
    this.#moveWatermarks();
  }

  /** A bounded read has met its end: everything closes, nothing is held back. */
  finish(): void {
    this.#time.finish();
    for (const values of this.#graph.values) values.end(endOfTime);
    this.#moveWatermarks();
    this.#flush();
  }

  /** publishedAt at which a tick would make something happen; undefined: never as things are. */
  get nextTickAt(): number | undefined {
    let next = this.#time.nextTickAt(this.#lastWindowEnd());
    for (const { nextTickAt } of [...this.#graph.operators, this.#sink]) {
      if (nextTickAt !== undefined) next = Math.min(next ?? nextTickAt, nextTickAt);
    }
    return next;
  }

  /** Whether all rows that are asked for have come: LIMIT without ORDER BY. */
  get isFull(): boolean {
    const { root } = this.#graph;
    return root instanceof SortOperator && root.isFull;
  }

  /** Whether memory is short, and a commit would let state leave it. */
  get awaitsCommit(): boolean {
    return this.#graph.operators.some((operator) => operator.awaitsCommit);
  }

  /** How often kernels' state has left memory. */
  get spillCount(): number {
    return this.#spill?.leaveCount ?? 0;
  }

  /** Bytes that wait to be taken by a commit. */
  get outputBytes(): number {
    const heldBytes = this.#sink instanceof AppendSink ? this.#sink.heldBytes : 0;
    return this.#outputs.bytes + heldBytes;
  }

  /** What has been made, of a query that keeps nothing; changes are held back until `finish`. */
  takeOutputs(): TakenPart {
    if (this.#sink instanceof AppendSink) this.#sink.flush();
    this.#side.flush();
    return this.#taken();
  }

  /** As `takeOutputs`, of a query that goes on: with the changes that were held back. */
  flushOutputs(): TakenPart {
    this.#flush();
    return this.#taken();
  }

  /**
   * Everything made since the last commit, and the state that goes with it. `delta`: what changed
   * since the last call.
   */
  commit(kind: "full" | "delta"): TakenPart {
    this.#flush();
    this.#stateToCome = kind;
    return this.#taken();
  }

  /**
   * More of what was taken before: outputs, and behind them the state of a commit, which is one
   * only with all of it, each part a delta behind what was given before. Of a commit, nothing else
   * is asked of the task in between.
   */
  rest(): TakenPart {
    const outputs = this.#outputs.take();
    const outputsAreLeft = !this.#outputs.isEmpty;
    const kind = this.#stateToCome;
    if (outputsAreLeft || kind === null) {
      return { outputs, outputsAreLeft, state: null, stateIsLeft: kind !== null };
    }
    const state = this.#stateOf(kind);
    const stateIsLeft = this.#file.dirtyPageCount > 0;
    this.#stateToCome = stateIsLeft ? "delta" : null;
    return { outputs, outputsAreLeft, state, stateIsLeft };
  }

  #stateOf(kind: "full" | "delta"): Uint8Array {
    const { statePagesMax = Number.POSITIVE_INFINITY } = this.#options;
    // Before pages: some of what operators hold goes to their tables now.
    const parts = this.#parts().map((part) => ({ name: part.name, bytes: part.save(kind) }));
    return encodeStateBlob([
      { name: timePart, bytes: encoder.encode(JSON.stringify(this.#saveTime())) },
      { name: pagesPart, bytes: this.#file.checkpoint(kind, statePagesMax) },
      ...parts,
    ]);
  }

  /** What a commit promises of the results behind it; null: nothing, or nothing before an end. */
  get committedTime(): CommittedTime | null {
    const { outputWatermark: watermark, activity } = this.#graph.root;
    if (watermark === noTime || watermark >= endOfTime) return null;
    return { watermark, activity };
  }

  get statistics(): TaskStatistics {
    const watermarks = this.#nodes.map((_, input) => this.#time.watermarkOf(input));
    return {
      rowsIn: this.#rowsIn,
      rowsOut: this.#rowsOut,
      rowsLate: this.#side.lateCount,
      rowsWrong: this.#side.errorCount,
      rowsAhead: this.#rowsAhead,
      watermarks: watermarks.map((each) => (each === noTime ? null : each)),
      watermarkHolders: this.#nodes.map((_, input) => this.#time.holderOf(input) ?? null),
    };
  }

  *#read(runs: readonly TaskRun[], pieceRecords: () => number): Generator<number, void> {
    const taken: (readonly SourceBatch[])[] = [];
    const reads = runs.flatMap((run) => {
      const batches = this.#batchesOf(run);
      taken.push(batches);
      return this.#nodes.flatMap((node, input) =>
        node.topic === run.topic ? [{ run, batches, input, partition: run.partition }] : [],
      );
    });
    this.#time.begin(this.#now, reads);
    const bounds = reads.map((read) => this.#time.boundFor(read));
    for (const [index, { run, batches, ...where }] of reads.entries()) {
      for (const piece of piecesOf(batches, pieceRecords)) {
        this.#readRun({ run, batches: piece, where, othersBound: bounds[index] ?? noTime });
        yield piece.reduce((count, { recordCount }) => count + recordCount, 0);
      }
    }
    this.#time.end();
    for (const batches of taken) freeRecords(batches);
  }

  #batchesOf({ batches, stored, place, partition }: TaskRun): SourceBatch[] {
    assert(place === undefined, "what has only a place was read");
    const { codecs, crc32c } = this.#tools;
    if (stored !== undefined) return sourceBatchesOf(stored, { partition, codecs, crc32c });
    return batches.flatMap((bytes) => sourceBatchOf(bytes, { partition, codecs }));
  }

  #readRun(read: {
    readonly run: TaskRun;
    readonly batches: readonly SourceBatch[];
    readonly where: InputPartition;
    readonly othersBound: number;
  }): void {
    const { run, batches, where, othersBound } = read;
    const source = this.#graph.sources[where.input];
    const node = this.#nodes[where.input];
    assert(source !== undefined && node !== undefined, "a run has its source");
    if (batches.length === 0) return;
    const greatest = this.#time.greatestOf(where);
    const { watermark } = node;
    const { aheadMsMax } = this.#options;
    const clock = { publishedAt: this.#now, aheadMsMax };
    const times =
      watermark === null ? null : { greatest, othersBound, delayMs: watermark.delayMs, ...clock };
    const seen = source.read({
      ...{ partition: run.partition, batches, fromOffset: run.fromOffset, times },
      watermarkBeside: (sources) => this.#watermarkBeside(where.input, sources),
    });
    for (const { recordCount } of batches) this.#rowsIn += recordCount;
    this.#rowsAhead += seen.aheadCount;
    if (times !== null) this.#time.observe(where, seen.greatest);
  }

  #watermarkBeside(input: number, sources: ReadonlySet<number>): number {
    let least = endOfTime;
    for (const source of sources) {
      // An idle input holds nobody, here as there: its rows are late when it comes back.
      if (source === input || this.#time.activityOf(source) !== activity.awaited) continue;
      least = Math.min(least, this.#time.watermarkOf(source));
    }
    return least;
  }

  #moveWatermarks(): void {
    this.#tellActivities();
    for (const [input, source] of this.#graph.sources.entries()) {
      source.moveTo(this.#time.watermarkOf(input));
    }
    for (const operator of this.#graph.operators) operator.settle();
    this.#sink.settle();
  }

  #tellActivities(): void {
    for (const [input, source] of this.#graph.sources.entries()) {
      source.tell(this.#time.activityOf(input));
    }
  }

  /** EMIT PERIODIC: what was held back comes out, dated by the publish before. */
  #passPeriod(): void {
    for (const operator of this.#graph.operators) operator.flush();
    this.#sink.onTime(this.#now);
  }

  #flush(): void {
    for (const operator of this.#graph.operators) operator.flush();
    this.#sink.flush();
    this.#side.flush();
  }

  #take(chunk: RecordChunk): void {
    const { partitionCount = 1, shape, buffers } = this.#options;
    const take = buffers === undefined ? undefined : (length: number) => buffers.take(length);
    this.#rowsOut += chunk.recordCount;
    const isSplit = partitionCount > 1 && shape.key.length > 0;
    const shares = isSplit
      ? splitRecords(chunk, partitionCount)
      : [{ ...chunk, partition: this.#keylessPartition }];
    for (const { partition, ...records } of shares) {
      const bytes = encloseRecords(records, { codec: "none" }, this.#tools, take);
      const { recordCount } = records;
      this.#outputs.add({ kind: "result", partition, bytes, recordCount });
    }
  }

  #taken(): TakenPart {
    const { partitionCount = 1, shape } = this.#options;
    if (shape.key.length === 0) {
      this.#keylessPartition = (this.#keylessPartition + 1) % partitionCount;
    }
    return this.rest();
  }

  #lastWindowEnd(): number {
    let last = noTime;
    for (const { lastWindowEnd } of this.#graph.operators) last = Math.max(last, lastWindowEnd);
    return last;
  }

  #parts(): StatePart[] {
    return [...this.#graph.operators, this.#sink].flatMap(({ state }) => state);
  }

  #restore(saved: readonly SavedParts[]): void {
    for (const part of this.#parts()) {
      part.restore(saved.map(({ kind, parts }) => ({ kind, bytes: partOf(parts, part.name) })));
    }
    const time = partOf(present(saved.at(-1), "a saved state").parts, timePart);
    this.#restoreTime(JSON.parse(decoder.decode(time)) as SavedTime);
  }

  #saveTime(): SavedTime {
    return {
      now: this.#now,
      counts: [this.#rowsIn, this.#rowsOut, this.#rowsAhead, ...this.#side.counts],
      time: this.#time.save(),
      watermarks: this.#graph.operators.map(({ watermark }) => watermark),
    };
  }

  #restoreTime(saved: SavedTime): void {
    this.#now = saved.now;
    const [rowsIn = 0, rowsOut = 0, rowsAhead = 0, ...side] = saved.counts;
    this.#rowsIn = rowsIn;
    this.#rowsOut = rowsOut;
    this.#rowsAhead = rowsAhead;
    this.#side.counts = side;
    this.#time.restore(saved.time);
    for (const [index, operator] of this.#graph.operators.entries()) {
      operator.resume(() => saved.watermarks[index] ?? noTime);
    }
    this.#tellActivities();
  }
}

interface SavedTime {
  readonly now: number;
  readonly counts: readonly number[];
  readonly time: EventTimeState;
  readonly watermarks: readonly number[];
}

/** Batches by the piece, each of so many records or one batch. */
function* piecesOf(
  batches: readonly SourceBatch[],
  pieceRecords: () => number,
): Generator<readonly SourceBatch[]> {
  let piece: SourceBatch[] = [];
  let count = 0;
  for (const batch of batches) {
    piece.push(batch);
    count += batch.recordCount;
    if (count < pieceRecords()) continue;
    yield piece;
    piece = [];
    count = 0;
  }
  if (piece.length > 0) yield piece;
}

/** How the last aggregate of a plan wants its results shown. */
function emitOf(node: PlanNode): EmitMode {
  switch (node.kind) {
    case "calc":
    case "sort":
      return emitOf(node.input);
    case "windowAggregate":
    case "groupAggregate":
      return node.emit;
    default:
      return { mode: "changes" };
  }
}

const timePart = "time";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
