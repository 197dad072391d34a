/**
 * What a worker's event loop and the thread of a query say to each other. Batches in shared memory
 * are read where they lie; the others of a message lie end to end in one buffer that is given away
 * with it and comes back with the reply, so that neither side touches fresh memory for each.
 */
import type { TaskReply, TaskRequest, TaskSetup } from "../../pipeline/task-protocol.ts";
import type { TaskPublish } from "../../sql/engine/query-task.ts";
import type { SqlModules } from "../../sql/sqlite/modules.ts";
import { type FlatPublishes, flattenPublishes, unflattenPublishes } from "./flat-publishes.ts";
import type { ThreadError } from "./libsql-thread.ts";
import {
  isSharedBytes,
  type SharedNames,
  type SharedNews,
  type SharedPlace,
  type SharedViews,
} from "./shared-names.ts";

/** As a `SharedPlace`; −1 in place of a number: in the buffer given away. */
type Place = SharedPlace;

export interface PublishesMessage {
  readonly kind: "publishes";
  readonly publishes: FlatPublishes;
  readonly drains: boolean;
  readonly buffer: ArrayBuffer;
  readonly shared: SharedNews;
}

/** Batches of results that were stored: their memory goes back with the next message. */
export interface GivenBack {
  readonly stored?: readonly Uint8Array[];
}

export type TaskMessage = GivenBack &
  (
    | { readonly kind: "prepare"; readonly modules: SqlModules }
    /** The task is over: the thread may get another. */
    | { readonly kind: "end" }
    | {
        readonly kind: "start";
        readonly setup: TaskSetup;
        readonly modules: SqlModules;
        /** Where publishes' places are read from; null: they have none. */
        readonly folder: SegmentFolder | null;
      }
    | PublishesMessage
    | Exclude<TaskRequest, { kind: "publishes" }>
  );

/** A folder that segments lie in, for threads that read them by themselves. */
export interface SegmentFolder {
  readonly directory: string;
}

export interface TaskAnswer {
  /** Null when the request failed, and of what is no request. */
  readonly reply: TaskReply | null;
  readonly error: ThreadError | null;
  /** The buffer of the request, empty again. */
  readonly buffer: ArrayBuffer | null;
  /** Of an end: whether the thread can have another task. */
  readonly isReusable: boolean;
  /** Of the task: it never shrinks. 0 where there is none. */
  readonly memoryBytes: number;
}

/** Of the batches that are to be copied. */
export function packedBytes(publishes: readonly TaskPublish[]): number {
  let bytes = 0;
  for (const { runs } of publishes) {
    for (const { batches, stored } of runs) {
      for (const batch of batches) bytes += isSharedBytes(batch) ? 0 : batch.length;
      for (const piece of stored?.pieces ?? []) bytes += isSharedBytes(piece) ? 0 : piece.length;
    }
  }
  return bytes;
}

/**
 * Copies the batches that are not shared into `buffer`, which holds `packedBytes` of them at least.
 * What is shared must stay as it is until the reply. `names` are those that the thread knows.
 */
export function packPublishes(
  publishes: readonly TaskPublish[],
  buffer: ArrayBuffer,
  names: SharedNames,
): Pick<PublishesMessage, "publishes" | "shared"> {
  const bytes = new Uint8Array(buffer);
  let position = 0;
  const { made, news } = names.inMessage((sharedPlaceOf) => {
    const placeOf = (batch: Uint8Array): Place => {
      if (isSharedBytes(batch)) return sharedPlaceOf(batch);
      const start = position;
      bytes.set(batch, start);
      position += batch.length;
      return [-1, start, position];
    };
    return flattenPublishes(publishes, placeOf);
  });
  return { publishes: made, shared: news };
}

/** The publishes again, their batches views of `buffer` and of what is shared. */
export function unpackPublishes(
  { publishes, buffer, shared }: Pick<PublishesMessage, "publishes" | "buffer" | "shared">,
  views: SharedViews,
): TaskPublish[] {
  const given = new Uint8Array(buffer);
  views.learn(shared);
  const bytesAt = (place: Place) =>
    place[0] < 0 ? given.subarray(place[1], place[2]) : views.at(place);
  return unflattenPublishes(publishes, bytesAt);
}
