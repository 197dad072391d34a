/**
 * What a query's row holds of it: enough to run it on any worker. It is written once, when the
 * query is made; what changes while it runs is in its commits.
 */
import * as z from "zod";
import { StreamError } from "../base/stream-error.ts";
import type { ReaderPosition } from "../log/publish-order-reader.ts";
import type { RecordShape } from "../sql/engine/append-sink.ts";
import type { QueryPlan } from "../sql/plan/plan.ts";
import { planFromText, planToText } from "../sql/plan/plan-text.ts";

export interface QueryDefinition {
  readonly plan: QueryPlan;
  readonly shape: RecordShape;
  /** Topics that the plan reads, as they were then: one made again later is another topic. */
  readonly inputs: readonly { readonly name: string; readonly topicId: string }[];
  readonly output: { readonly name: string; readonly topicId: string };
  readonly checkpoints: { readonly name: string; readonly topicId: string };
  /** Where reading begins; every partition that there was then has a cursor. */
  readonly start: ReaderPosition;
  readonly settings: QuerySettings;
}

export interface QuerySettings {
  /** Between commits, milliseconds. */
  readonly commitIntervalMs: number;
  /** Bound of the task's memory. */
  readonly memoryBytesMax: number;
  /** After so long in which all inputs are idle, time moves windows on; 0: never. */
  readonly quietTimeoutMs: number;
  /** Event times further past publishedAt do not move the watermark. */
  readonly aheadMsMax: number;
  /** `skip`: rows in error go to the errors topic; `stop`: the first one stops the query. */
  readonly onError: "skip" | "stop";
  /** As `onError`, for late rows and their topic. */
  readonly onLate: "skip" | "stop";
}

export const querySettingsDefault: QuerySettings = {
  commitIntervalMs: 1_000,
  memoryBytesMax: 256 * 1024 * 1024,
  quietTimeoutMs: 60_000,
  aheadMsMax: 3_600_000,
  onError: "skip",
  onLate: "skip",
};

const named = z.object({ name: z.string(), topicId: z.string() });
const int = z.number().int();

/** The plan itself is the checker's own and was written by `planToText`. */
const shape = z.object({
  version: z.literal(1),
  plan: z.string(),
  shape: z.string(),
  inputs: z.array(named),
  output: named,
  checkpoints: named,
  start: z.object({
    publishPosition: int,
    cursors: z.array(z.object({ topicNumber: int, partition: int, nextOffset: int })),
  }),
  settings: z.object({
    commitIntervalMs: int,
    memoryBytesMax: int,
    quietTimeoutMs: int,
    aheadMsMax: int,
    onError: z.enum(["skip", "stop"]),
    onLate: z.enum(["skip", "stop"]),
  }),
});

export function encodeQueryDefinition(definition: QueryDefinition): string {
  const { plan } = definition;
  return JSON.stringify({
    ...definition,
    version: 1,
    plan: planToText(plan),
    shape: JSON.stringify(definition.shape),
  });
}

/** @throws StreamError `corrupt_metadata` */
export function decodeQueryDefinition(text: string): QueryDefinition {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw corrupt(String(error));
  }
  const checked = shape.safeParse(value);
  if (!checked.success) throw corrupt(z.prettifyError(checked.error));
  const { version: _, plan, shape: record, ...rest } = checked.data;
  return { ...rest, plan: planFromText(plan), shape: JSON.parse(record) as RecordShape };
}

function corrupt(why: string): StreamError {
  return new StreamError("corrupt_metadata", `Cannot read a query's definition: ${why}`);
}
