/** An append on its way from a server to its receipt. */
import { StreamError } from "../base/stream-error.ts";
import type { PublishEffect, PublishGroup } from "../meta/publish-request.ts";
import type { AppendBatch, Appended, AppendedGroup } from "./log-types.ts";

export interface PendingAppend {
  readonly batches: readonly AppendBatch[];
  /** Guards and effects; empty for plain appends. */
  readonly group: PublishGroup;
  /** True when it is judged as a group: it has guards or effects. */
  readonly grouped: boolean;
  /** Names of the rows that it reads or writes, beside the partitions' next offsets. */
  readonly keys: readonly string[];
  readonly bytes: number;
  /** Monotonic milliseconds. */
  readonly enqueuedAt: number;
  /** Filled in batch by batch as receipts are read; complete before `resolve`. */
  readonly appended: (Appended | undefined)[];
  readonly resolve: (result: AppendedGroup) => void;
  readonly reject: (error: StreamError) => void;
}

export interface NewAppend extends PublishGroup {
  readonly batches: readonly AppendBatch[];
  readonly enqueuedAt: number;
}

/** Makes a pending append and the promise of its result. */
export function pendAppend(append: NewAppend): {
  readonly pending: PendingAppend;
  readonly result: Promise<AppendedGroup>;
} {
  const { promise, resolve, reject } = Promise.withResolvers<AppendedGroup>();
  const grouped = append.guards.length > 0 || append.effects.length > 0;
  let bytes = 0;
  for (const batch of append.batches) bytes += batch.bytes.length;
  const pending: PendingAppend = {
    batches: append.batches,
    group: { guards: append.guards, effects: append.effects },
    grouped,
    keys: keysOf(append, grouped),
    bytes,
    enqueuedAt: append.enqueuedAt,
    appended: new Array<Appended | undefined>(append.batches.length),
    resolve,
    reject,
  };
  return { pending, result: promise };
}

/** The producer state row that a batch is judged by; batches of no producer share one run. */
export function producerKey(batch: AppendBatch): string {
  return `${batch.topic.topicNumber}/${batch.partition}/${batch.header.producerId}`;
}

function keysOf(append: NewAppend, grouped: boolean): readonly string[] {
  const keys: string[] = [];
  for (const batch of append.batches) {
    if (batch.header.producerId >= 0) keys.push(producerKey(batch));
  }
  if (grouped) {
    for (const guard of append.guards) {
      if (guard.kind === "partition") keys.push(`p/${guard.topicNumber}/${guard.partition}`);
    }
    for (const effect of append.effects) keys.push(effectKey(effect));
  }
  return keys;
}

/** The row that an effect writes. */
export function effectKey(effect: PublishEffect): string {
  switch (effect.kind) {
    case "httpProducer":
      return `h/${effect.topicNumber}/${effect.name}`;
    case "groupOffsets":
      return `g/${effect.groupId}`;
    case "watermark":
      return `w/${effect.topicNumber}`;
  }
}

/** The error for appends whose outcome stays unknown because the worker ends. */
export function shuttingDown(): StreamError {
  return new StreamError(
    "shutting_down",
    "Cannot append: this worker is stopping; send the records to another one",
  );
}
