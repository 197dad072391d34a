/**
 * Event time of one query, decided by the log alone: which partitions are awaited, how far each
 * input's watermark has come, and the bound behind which a row is late. Every decision is taken at
 * a publish or a tick, from its publishedAt; wall clocks never enter. The same log therefore gives
 * the same watermarks in every run, whatever the micro-batches in which it is read. Ticks only show
 * what the time of the next publish would show as well: which of them were written, and when, makes
 * no difference to what comes out (ADR 76).
 *
 * Per publish: `pass` (time has passed until it), `begin`, then for each of its runs `boundFor`,
 * the rows, `observe`; then `end`, which moves the watermarks. A tick is `pass` alone.
 *
 * All times are milliseconds; `noTime` stands for "none yet".
 */
import { assert } from "../../base/assert.ts";

/** Below every event time, and far enough from the edge that a delay may be taken off it. */
export const noTime = -(2 ** 52);

/** The watermark at the end of a bounded read: everything closes. */
export const endOfTime = Number.MAX_SAFE_INTEGER;

export interface EventTimeInput {
  /** What the watermark stays behind the greatest event time. */
  readonly delayMs: number;
  /**
   * After so long without a publish a partition is no longer awaited; 0: it is awaited for ever.
   */
  readonly idleTimeoutMs: number;
  /** After so long in which all is idle, ticks move the watermark on; 0: never. */
  readonly quietTimeoutMs: number;
  /**
   * The input is the output of a query, whose commits say how far it has come: see `commit`. Then
   * delay and timeouts are nothing to it, and its partitions are never awaited.
   */
  readonly isCommitted?: boolean;
}

/**
 * Whether an input holds those that read it beside others: an operator's watermark is the least of
 * its inputs that are awaited; where all are idle, the greatest of them.
 */
export const activity = { idle: 1, awaited: 2 } as const;
export type Activity = (typeof activity)[keyof typeof activity];

/**
 * As it is stored: 0 is an earlier program's word for an idle input, a newer program's is taken for
 * the one that holds.
 */
export function activityOf(stored: number): Activity {
  return stored === 0 || stored === activity.idle ? activity.idle : activity.awaited;
}

/** What a commit of a query says of its results: nothing before `watermark` will follow. */
export interface CommittedTime {
  readonly watermark: number;
  readonly activity: Activity;
}

/** A partition of an input, `input` being its place in the list given to the constructor. */
export interface InputPartition {
  readonly input: number;
  readonly partition: number;
}

/** The state of one partition, as it is saved: see `EventTime.save`. */
export interface PartitionTime {
  readonly input: number;
  readonly partition: number;
  /** Greatest event time seen, or `noTime`. */
  readonly greatest: number;
  /** publishedAt of its last publish, or `noTime`. */
  readonly publishedAt: number;
  /** publishedAt from which its waiting counts. */
  readonly awaitedFrom: number;
  readonly isIdle: boolean;
}

export interface InputTime {
  readonly watermark: number;
  /** Greatest event time over all partitions, counted even where a partition went away. */
  readonly greatest: number;
  /** publishedAt of its last publish, or `noTime`. */
  readonly publishedAt: number;
  /** As its last commit said; of other inputs absent. */
  readonly activity?: Activity;
}

export interface EventTimeState {
  readonly version: 1;
  readonly partitions: readonly PartitionTime[];
  readonly inputs: readonly InputTime[];
  /** When the last awaited partition became idle, whatever showed it; or null. */
  readonly idleSince: number | null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * How near to the clock a stream must have been, at its last publish, for silence to count as
 * passing time: a replay of last year's records does not run on by itself.
 */
const nearMs = 60_000;

export class EventTime {
  readonly #inputs: readonly EventTimeInput[];
  readonly #times: Mutable<InputTime>[];
  readonly #partitions: Map<number, Mutable<PartitionTime>>[];
  #idleSince: number | null = null;

  constructor(inputs: readonly EventTimeInput[]) {
    this.#inputs = inputs;
    this.#times = inputs.map(() => ({
      watermark: noTime,
      greatest: noTime,
      publishedAt: noTime,
    }));
    this.#partitions = inputs.map(() => new Map());
  }

  watermarkOf(input: number): number {
    return this.#time(input).watermark;
  }

  /**
   * How much the input has to say now. Before its first publish it is awaited, as it is at its end:
   * where a read ends, nobody goes ahead of the others.
   */
  activityOf(input: number): Activity {
    const { watermark, activity: committed } = this.#time(input);
    if (watermark >= endOfTime) return activity.awaited;
    if (this.#input(input).isCommitted) return committed ?? activity.awaited;
    const known = [...this.#partitionsOf(input).values()].filter(isKnown);
    const isAwaited = known.length === 0 || known.some(({ isIdle }) => !isIdle);
    return isAwaited ? activity.awaited : activity.idle;
  }

  /** A commit of the query whose output the input is; after the rows of its publish. */
  commit(input: number, committed: CommittedTime): void {
    const time = this.#time(input);
    time.watermark = Math.max(time.watermark, committed.watermark);
    time.activity = committed.activity;
  }

  /**
   * The partition exists from here on and is awaited from the next publish to any input. Known ones
   * stay as they are.
   */
  addPartition({ input, partition }: InputPartition): void {
    if (this.#input(input).isCommitted) return;
    const partitions = this.#partitionsOf(input);
    if (partitions.has(partition)) return;
    partitions.set(partition, {
      ...{ input, partition, greatest: noTime, publishedAt: noTime },
      ...{ awaitedFrom: noTime, isIdle: false },
    });
  }

  /**
   * Time has passed until a publish or tick, before its rows. Partitions may have gone idle by it;
   * after `quietTimeoutMs` in which all was idle, watermarks move on by what has passed, never past
   * `lastWindowEnd`, the end of the last open window (`noTime`: none is open). Whether anything
   * changed: windows that close may open others, whose time has passed as well, so call it until
   * nothing does.
   */
  pass(publishedAt: number, lastWindowEnd: number): boolean {
    const wentIdle = this.#judge(publishedAt);
    if (wentIdle) this.#move();
    return this.#passQuiet(publishedAt, lastWindowEnd) || wentIdle;
  }

  /**
   * A publish to `touched` is next, and time has passed until it. The first publish, and one that
   * ends a spell in which all were idle, makes every partition awaited again.
   */
  begin(publishedAt: number, touched: readonly InputPartition[]): void {
    const endsSpell = this.#idleSince !== null;
    this.#idleSince = null;
    for (const partitions of this.#partitions) {
      for (const time of partitions.values()) {
        if (!endsSpell && time.awaitedFrom !== noTime) continue;
        time.awaitedFrom = publishedAt;
        time.isIdle = false;
      }
    }
    for (const { input, partition } of touched) {
      this.#time(input).publishedAt = publishedAt;
      if (this.#input(input).isCommitted) continue;
      const time = this.#partitionTime(input, partition);
      time.publishedAt = publishedAt;
      time.isIdle = false;
    }
  }

  /** Greatest event time of the partition so far: where its rows' bounds start from. */
  greatestOf({ input, partition }: InputPartition): number {
    if (this.#input(input).isCommitted) return noTime;
    return this.#partitionTime(input, partition).greatest;
  }

  /**
   * What bounds lateness of this partition's rows beside its own greatest event time: the least of
   * every other awaited partition of the input, before this publish; `endOfTime` when there is no
   * other. An operator of several inputs also holds it against the others' watermarks. Call it for
   * all runs of a publish before the first `observe`. Rows of a query are bounded by what its
   * earlier commits said, whatever the order of the rows.
   */
  boundFor({ input, partition }: InputPartition): number {
    let bound = endOfTime;
    const { delayMs, isCommitted } = this.#input(input);
    if (isCommitted) return this.#time(input).watermark;
    for (const time of this.#partitionsOf(input).values()) {
      if (time.partition === partition || time.isIdle) continue;
      bound = Math.min(bound, minus(time.greatest, delayMs));
    }
    return bound;
  }

  /** The rows of a run had this greatest event time (`noTime`: none that counts). */
  observe({ input, partition }: InputPartition, greatest: number): void {
    if (this.#input(input).isCommitted) return;
    const time = this.#partitionTime(input, partition);
    time.greatest = Math.max(time.greatest, greatest);
    const inputTime = this.#time(input);
    inputTime.greatest = Math.max(inputTime.greatest, greatest);
  }

  /** The publish is over: watermarks move to what their awaited partitions allow. */
  end(): void {
    this.#move();
  }

  /** A bounded read has met its end. */
  finish(): void {
    for (const time of this.#times) time.watermark = endOfTime;
  }

  /**
   * The earliest publishedAt at which a tick would let a partition go idle or, all being idle, move
   * a watermark; undefined while none would. A tick changes nothing before anything was published.
   */
  nextTickAt(lastWindowEnd: number): number | undefined {
    let next: number | undefined;
    const consider = (at: number) => {
      next = next === undefined ? at : Math.min(next, at);
    };
    for (const [input, { idleTimeoutMs }] of this.#inputs.entries()) {
      if (idleTimeoutMs === 0) continue;
      for (const time of this.#partitionsOf(input).values()) {
        if (time.isIdle || !isKnown(time)) continue;
        consider(Math.max(time.awaitedFrom, time.publishedAt) + idleTimeoutMs);
      }
    }
    if (this.#idleSince === null) return next;
    for (const [input, { delayMs, quietTimeoutMs }] of this.#inputs.entries()) {
      const time = this.#time(input);
      if (quietTimeoutMs === 0 || time.greatest === noTime || lastWindowEnd === noTime) continue;
      if (Math.abs(time.publishedAt - time.greatest) > nearMs) continue;
      if (time.watermark >= lastWindowEnd) continue;
      const reached = time.publishedAt + (lastWindowEnd - (time.greatest - delayMs));
      consider(Math.max(this.#idleSince + quietTimeoutMs, reached));
    }
    return next;
  }

  /** The partition that holds an input's watermark back, for those who ask why nothing closes. */
  holderOf(input: number): number | undefined {
    let holder: PartitionTime | undefined;
    for (const time of this.#partitionsOf(input).values()) {
      if (time.isIdle) continue;
      if (holder === undefined || time.greatest < holder.greatest) holder = time;
    }
    return holder?.partition;
  }

  save(): EventTimeState {
    return {
      version: 1,
      partitions: this.#partitions.flatMap((partitions) =>
        [...partitions.values()].map((time) => ({ ...time })),
      ),
      inputs: this.#times.map((time) => ({ ...time })),
      idleSince: this.#idleSince,
    };
  }

  /** Takes what `save` gave, for a query with the same inputs. */
  restore(state: EventTimeState): void {
    assert(state.inputs.length === this.#inputs.length, "a checkpoint has the inputs of its query");
    for (const [input, time] of state.inputs.entries()) Object.assign(this.#time(input), time);
    for (const partitions of this.#partitions) partitions.clear();
    for (const time of state.partitions) {
      this.#partitionsOf(time.input).set(time.partition, { ...time });
    }
    this.#idleSince = state.idleSince;
  }

  /**
   * Idleness by `at`; whether anybody became idle. All idle: a spell has begun with the last of
   * them, and lasts until the next publish.
   */
  #judge(at: number): boolean {
    let lastAt = noTime;
    let isAwaited = false;
    let hasChanged = false;
    for (const [input, { idleTimeoutMs }] of this.#inputs.entries()) {
      for (const time of this.#partitionsOf(input).values()) {
        if (!isKnown(time)) continue;
        const idleAt = Math.max(time.awaitedFrom, time.publishedAt) + idleTimeoutMs;
        if (!time.isIdle && idleTimeoutMs > 0 && at >= idleAt) {
          time.isIdle = true;
          hasChanged = true;
        }
        if (!time.isIdle) isAwaited = true;
        lastAt = Math.max(lastAt, idleAt);
      }
    }
    if (hasChanged && !isAwaited) this.#idleSince = lastAt;
    return hasChanged;
  }

  /**
   * Each input's watermark is the least of its awaited partitions, and the greatest once all are
   * idle: no order in which they fell idle leaves less or more, nor does who looked, and when.
   */
  #move(): void {
    for (const [input, { delayMs }] of this.#inputs.entries()) {
      let least = endOfTime;
      let greatest = noTime;
      for (const time of this.#partitionsOf(input).values()) {
        if (!isKnown(time)) continue;
        greatest = Math.max(greatest, time.greatest);
        if (!time.isIdle) least = Math.min(least, time.greatest);
      }
      const held = least === endOfTime ? greatest : least;
      this.#raise(input, minus(held, delayMs));
    }
  }

  #passQuiet(at: number, lastWindowEnd: number): boolean {
    if (this.#idleSince === null) return false;
    let hasMoved = false;
    for (const [input, { delayMs, quietTimeoutMs }] of this.#inputs.entries()) {
      const { publishedAt, greatest } = this.#time(input);
      const isQuiet = quietTimeoutMs > 0 && at - this.#idleSince >= quietTimeoutMs;
      if (!isQuiet || greatest === noTime || Math.abs(publishedAt - greatest) > nearMs) continue;
      const reached = Math.min(greatest - delayMs + (at - publishedAt), lastWindowEnd);
      hasMoved = this.#raise(input, reached) || hasMoved;
    }
    return hasMoved;
  }

  #raise(input: number, watermark: number): boolean {
    const time = this.#time(input);
    if (watermark <= time.watermark) return false;
    time.watermark = watermark;
    return true;
  }

  #input(input: number): EventTimeInput {
    const found = this.#inputs[input];
    assert(found !== undefined, "the input exists");
    return found;
  }

  #time(input: number): Mutable<InputTime> {
    const found = this.#times[input];
    assert(found !== undefined, "the input exists");
    return found;
  }

  #partitionsOf(input: number): Map<number, Mutable<PartitionTime>> {
    const found = this.#partitions[input];
    assert(found !== undefined, "the input exists");
    return found;
  }

  #partitionTime(input: number, partition: number): Mutable<PartitionTime> {
    const found = this.#partitionsOf(input).get(partition);
    assert(found !== undefined, "the partition was added");
    return found;
  }
}

/** Whether a publish came since the partition was added: until then nobody waits for it. */
function isKnown({ awaitedFrom }: PartitionTime): boolean {
  return awaitedFrom !== noTime;
}

/** A time less a delay; "none yet" stays so. */
function minus(time: number, delayMs: number): number {
  return time === noTime ? noTime : time - delayMs;
}
