/**
 * What a worker's event loop and the thread of a query say to each other. The batches of a message
 * lie end to end in one buffer that is given away with it and comes back with the reply, so that
 * neither side touches fresh memory for each.
 */
import type { TaskReply, TaskRequest, TaskSetup } from "../../pipeline/task-protocol.ts";
import type { TaskPublish } from "../../sql/engine/query-task.ts";
import type { ThreadError } from "./libsql-thread.ts";

type Place = readonly [start: number, end: number];

export type PackedRun = Omit<TaskPublish["runs"][number], "batches"> & {
  readonly batches: readonly Place[];
};

export interface PackedPublish extends Omit<TaskPublish, "runs"> {
  readonly runs: readonly PackedRun[];
}

export type TaskMessage =
  | { readonly kind: "start"; readonly setup: TaskSetup }
  | {
      readonly kind: "publishes";
      readonly publishes: readonly PackedPublish[];
      readonly buffer: ArrayBuffer;
    }
  | Exclude<TaskRequest, { kind: "publishes" }>;

export interface TaskAnswer {
  /** Null when the request failed, and of a start. */
  readonly reply: TaskReply | null;
  readonly error: ThreadError | null;
  /** The buffer of the request, empty again. */
  readonly buffer: ArrayBuffer | null;
}

export function packedBytes(publishes: readonly TaskPublish[]): number {
  let bytes = 0;
  for (const { runs } of publishes) {
    for (const { batches } of runs) for (const batch of batches) bytes += batch.length;
  }
  return bytes;
}

/** Copies the batches into `buffer`, which holds `packedBytes` of them at least. */
export function packPublishes(
  publishes: readonly TaskPublish[],
  buffer: ArrayBuffer,
): PackedPublish[] {
  const bytes = new Uint8Array(buffer);
  let position = 0;
  return publishes.map((publish) => ({
    ...publish,
    runs: publish.runs.map((run) => ({
      ...run,
      batches: run.batches.map((batch): Place => {
        const start = position;
        bytes.set(batch, start);
        position += batch.length;
        return [start, position];
      }),
    })),
  }));
}

/** The publishes again, their batches views of `buffer`. */
export function unpackPublishes(
  publishes: readonly PackedPublish[],
  buffer: ArrayBuffer,
): TaskPublish[] {
  const bytes = new Uint8Array(buffer);
  return publishes.map((publish) => ({
    ...publish,
    runs: publish.runs.map((run) => ({
      ...run,
      batches: run.batches.map(([start, end]) => bytes.subarray(start, end)),
    })),
  }));
}
