/**
 * What a worker's event loop and the thread of a query say to each other. Batches in shared memory
 * are read where they lie; the others of a message lie end to end in one buffer that is given away
 * with it and comes back with the reply, so that neither side touches fresh memory for each.
 */
import type { TaskReply, TaskRequest, TaskSetup } from "../../pipeline/task-protocol.ts";
import type { TaskPublish } from "../../sql/engine/query-task.ts";
import type { SqlModules } from "../../sql/sqlite/modules.ts";
import type { ThreadError } from "./libsql-thread.ts";

/** `shared`: which of the message's shared buffers it lies in; −1: in the one given away. */
type Place = readonly [shared: number, start: number, end: number];

type Run = TaskPublish["runs"][number];

export type PackedRun = Omit<Run, "batches" | "stored"> & {
  readonly batches: readonly Place[];
  readonly stored?: Omit<NonNullable<Run["stored"]>, "pieces"> & {
    readonly pieces: readonly Place[];
  };
};

export interface PackedPublish extends Omit<TaskPublish, "runs"> {
  readonly runs: readonly PackedRun[];
}

export interface PublishesMessage {
  readonly kind: "publishes";
  readonly publishes: readonly PackedPublish[];
  readonly buffer: ArrayBuffer;
  readonly shared: readonly SharedArrayBuffer[];
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
    | { readonly kind: "start"; readonly setup: TaskSetup; readonly modules: SqlModules }
    | PublishesMessage
    | Exclude<TaskRequest, { kind: "publishes" }>
  );

export interface TaskAnswer {
  /** Null when the request failed, and of what is no request. */
  readonly reply: TaskReply | null;
  readonly error: ThreadError | null;
  /** The buffer of the request, empty again. */
  readonly buffer: ArrayBuffer | null;
  /** Of an end: whether the thread can have another task. */
  readonly isReusable: boolean;
}

/** Of the batches that are to be copied. */
export function packedBytes(publishes: readonly TaskPublish[]): number {
  let bytes = 0;
  for (const { runs } of publishes) {
    for (const { batches, stored } of runs) {
      for (const batch of batches) bytes += isShared(batch.buffer) ? 0 : batch.length;
      for (const piece of stored?.pieces ?? []) bytes += isShared(piece.buffer) ? 0 : piece.length;
    }
  }
  return bytes;
}

/**
 * Copies the batches that are not shared into `buffer`, which holds `packedBytes` of them at least.
 * What is shared must stay as it is until the reply.
 */
export function packPublishes(
  publishes: readonly TaskPublish[],
  buffer: ArrayBuffer,
): Pick<PublishesMessage, "publishes" | "shared"> {
  const bytes = new Uint8Array(buffer);
  const shared = new Map<SharedArrayBuffer, number>();
  let position = 0;
  const placeOf = (batch: Uint8Array): Place => {
    if (isShared(batch.buffer)) {
      const index = shared.get(batch.buffer) ?? shared.size;
      shared.set(batch.buffer, index);
      return [index, batch.byteOffset, batch.byteOffset + batch.length];
    }
    const start = position;
    bytes.set(batch, start);
    position += batch.length;
    return [-1, start, position];
  };
  const packed = publishes.map((publish) => ({
    ...publish,
    runs: publish.runs.map(({ stored, ...run }) => ({
      ...{ ...run, batches: run.batches.map(placeOf) },
      ...(stored && { stored: { ...stored, pieces: stored.pieces.map(placeOf) } }),
    })),
  }));
  return { publishes: packed, shared: [...shared.keys()] };
}

/** The publishes again, their batches views of `buffer` and of what is shared. */
export function unpackPublishes({
  publishes,
  buffer,
  shared,
}: Pick<PublishesMessage, "publishes" | "buffer" | "shared">): TaskPublish[] {
  const given = new Uint8Array(buffer);
  const others = shared.map((each) => new Uint8Array(each));
  const bytesAt = ([index, start, end]: Place) => (others[index] ?? given).subarray(start, end);
  return publishes.map((publish) => ({
    ...publish,
    runs: publish.runs.map(({ stored, ...run }) => ({
      ...{ ...run, batches: run.batches.map(bytesAt) },
      ...(stored && { stored: { ...stored, pieces: stored.pieces.map(bytesAt) } }),
    })),
  }));
}

function isShared(buffer: ArrayBufferLike): buffer is SharedArrayBuffer {
  return buffer instanceof SharedArrayBuffer;
}
