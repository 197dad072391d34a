/**
 * What a query's runner and its task say to each other. The task may live in another thread: every
 * message is plain data, bytes are given away with it, and requests are answered in their order.
 */

import type { RecordShape } from "../sql/engine/append-sink.ts";
import type { TaskPublish, TaskStatistics } from "../sql/engine/query-task.ts";
import type { OutputBatch } from "../sql/engine/task-output.ts";
import type { CommittedTime } from "../sql/time/event-time.ts";

export interface PackedState {
  readonly kind: "full" | "delta";
  /** See `packState`. */
  readonly bytes: Uint8Array;
}

export interface TaskSetup {
  /** As `planToText` wrote it. */
  readonly plan: string;
  readonly shape: RecordShape;
  readonly memoryBytesMax: number;
  readonly quietTimeoutMs: number;
  readonly aheadMsMax: number;
  /** The query ends: what would be changes comes out once, as it is then. */
  readonly isBounded: boolean;
  /** publishedAt of rows that the statement itself gives; default 0. */
  readonly beganAt?: number;
  /** Of the topic that results go to; default 1. */
  readonly partitionCount?: number;
  /** `max.message.bytes` of that topic. */
  readonly batchBytesMax?: number;
  /** `max.message.bytes` of the topics of what is late or wrong. */
  readonly sideBytesMax?: number;
  /** A full state, then deltas, as commits gave them; none: the query begins. */
  readonly states: readonly PackedState[];
  /** States come by requests instead, one after the other, since together they may be large. */
  readonly isRestored?: boolean;
  /** Partitions that there are where a query begins. */
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
}

export type TaskRequest =
  | {
      readonly kind: "publishes";
      readonly publishes: readonly TaskPublish[];
      /** The reply brings what was made so far, as that of a drain. */
      readonly drains?: boolean;
    }
  | { readonly kind: "commit"; readonly state: "full" | "delta" }
  /** What the reply before has left of outputs, and behind them of the state of a commit. */
  | { readonly kind: "rest" }
  /** Of a task that is restored, before all else: a full state, then deltas; null: no more. */
  | { readonly kind: "restore"; readonly state: PackedState | null }
  /** How things stand; nothing is done. */
  | { readonly kind: "ask" }
  /** What has been made so far, of a query that keeps nothing. */
  | { readonly kind: "drain" }
  /** The same of a query that goes on: with the changes that were held back. */
  | { readonly kind: "flush" }
  /** A bounded read is over. */
  | { readonly kind: "finish" };

export interface TaskReply {
  readonly statistics: TaskStatistics;
  /** publishedAt at which a tick would make something happen. */
  readonly nextTickAt: number | null;
  /** No further rows are asked for: LIMIT is reached. */
  readonly isFull: boolean;
  /** Bytes of what was made and is not in `outputs`: it waits for a commit or a drain. */
  readonly outputBytes: number;
  /** Memory is short, and a commit would let state leave it. */
  readonly awaitsCommit: boolean;
  /** Of a commit, a drain and a finish. */
  readonly outputs: readonly OutputBatch[];
  /** More of them are to be had, by `rest`. */
  readonly outputsAreLeft: boolean;
  /** Of a commit, once all outputs were taken: see `packState`. */
  readonly state: Uint8Array | null;
  /** More of it is to be had: the state is one only with all of it, deltas behind this one. */
  readonly stateIsLeft: boolean;
  /** Of a commit: how far its results have come in event time. */
  readonly committed: CommittedTime | null;
}

/** A running task. A failed request ends it: whoever runs it starts another. */
export interface TaskHandle {
  /** It reads what publishes have only places of. */
  readonly readsPlaces?: boolean;
  /** @throws StreamError what the task failed with. */
  send(request: TaskRequest): Promise<TaskReply>;
  /**
   * Takes batches of results back whose bytes are stored, to write others there. Nobody may look at
   * them from then on; those that are not given back are the garbage collector's.
   */
  giveBack(batches: readonly Uint8Array[]): void;
  close(): void;
}

export type StartTask = (setup: TaskSetup) => Promise<TaskHandle>;
