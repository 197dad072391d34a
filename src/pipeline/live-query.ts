/**
 * EMIT CHANGES over streams: a query that goes on as long as somebody reads and keeps nothing. Its
 * task runs as that of any query does, but commits nothing, and what it makes goes to the reader. A
 * reader who is slow lets it read the log slower; nothing piles up.
 */
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import type { PublishOrderReader, ReaderPosition } from "../log/publish-order-reader.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import type { NamespaceHead } from "../meta/publish-order.ts";
import { decodeRecords } from "../record/batch-records.ts";
import type { OutputBatch } from "../sql/engine/task-output.ts";
import { mapInputs } from "../sql/plan/map-inputs.ts";
import type { PlanNode, QueryPlan } from "../sql/plan/plan.ts";
import { planToText } from "../sql/plan/plan-text.ts";
import { abortable } from "./abortable.ts";
import { refuseErrors } from "./bounded-query.ts";
import { querySettingsDefault } from "./query-definition.ts";
import { type QueryMaker, shapeOf, sourcesOf } from "./query-maker.ts";
import type { ChangeEvent, StatementResult } from "./sql-result.ts";
import type { SqlSession } from "./sql-session.ts";
import type { StartTask, TaskReply } from "./task-protocol.ts";
import { taskPublishOf } from "./task-publish.ts";
import { TickTimer } from "./tick-timer.ts";
import { resultBytesMax } from "./view-table.ts";

export interface LiveQueriesParts {
  readonly platform: Platform;
  readonly log: {
    follow(topics: readonly TopicInfo[], start: ReaderPosition): PublishOrderReader;
  };
  readonly maker: QueryMaker;
  readonly startTask: StartTask;
  readonly publishTick: (topicNumbers: readonly number[]) => Promise<NamespaceHead>;
}

/** Bytes of publishes that a task is given at once. */
const sliceBytes = 1024 * 1024;
const waitMsMax = 1_000;

export class LiveQueries {
  readonly #parts: LiveQueriesParts;

  constructor(parts: LiveQueriesParts) {
    this.#parts = parts;
  }

  /** @throws StreamError `sql_unsupported` where rows change that could not be told apart. */
  run(plan: QueryPlan, session: SqlSession, signal: AbortSignal): StatementResult {
    const root = fromLatest(plan.root);
    const { columns, changes, key } = root;
    if (changes === "update" && (key === null || key.length === 0)) {
      throw new StreamError(
        "sql_unsupported",
        "EMIT CHANGES needs a key that changed rows are known by: select the columns of GROUP BY",
      );
    }
    const events = abortable<ChangeEvent>(signal, (either) =>
      this.#events({ ...plan, root }, session, either),
    );
    return { kind: "changes", columns: columns.map(({ name, type }) => ({ name, type })), events };
  }

  async *#events(
    plan: QueryPlan,
    session: SqlSession,
    signal: AbortSignal,
  ): AsyncGenerator<ChangeEvent, void> {
    const { platform, maker, log, startTask, publishTick } = this.#parts;
    const { inputs, start } = await maker.startOf(sourcesOf(plan.root));
    const topics = [...inputs.values()];
    const names = new Map(topics.map((topic) => [topic.topicNumber, topic.name as string]));
    const { quietTimeoutMs, aheadMsMax } = querySettingsDefault;
    const task = await startTask({
      ...{ plan: planToText(plan), shape: shapeOf(plan.root, null), states: [] },
      ...{ quietTimeoutMs, aheadMsMax, isBounded: false },
      memoryBytesMax: session.querySettings.memoryBytesMax,
      partitions: start.cursors.map(({ topicNumber, partition }) => ({
        ...{ topic: names.get(topicNumber) ?? "", partition },
      })),
    });
    try {
      const reader = log.follow(topics, start);
      const ticks = new TickTimer(platform.clock, reader);
      let hasTicked = false;
      let reply: TaskReply = await task.send({ kind: "flush" });
      while (!signal.aborted) {
        yield* this.#eventsOf(reply.outputs, signal);
        if (reply.outputsAreLeft && !signal.aborted) {
          reply = await task.send({ kind: "rest" });
          continue;
        }
        const { nextTickAt } = reply;
        const untilTick = nextTickAt === null ? waitMsMax : ticks.delayMs(nextTickAt);
        const waitMs = hasTicked ? 0 : Math.max(1, Math.min(untilTick, waitMsMax));
        hasTicked = false;
        const slice = await reader.next({ bytesMax: sliceBytes, waitMsMax: waitMs, signal });
        try {
          if (signal.aborted) return;
          const publishes = slice.publishes.map((publish) => taskPublishOf(publish, names));
          if (publishes.length > 0) await task.send({ kind: "publishes", publishes });
          else if (nextTickAt !== null && ticks.delayMs(nextTickAt) <= 0) {
            ticks.published();
            await publishTick([...names.keys()]);
            hasTicked = true;
          }
        } finally {
          slice.release();
        }
        reply = await task.send({ kind: "flush" });
      }
    } finally {
      task.close();
    }
  }

  *#eventsOf(outputs: readonly OutputBatch[], signal: AbortSignal): Generator<ChangeEvent, void> {
    const { codecs } = this.#parts.platform;
    refuseErrors(outputs, this.#parts.platform);
    for (const { kind, bytes } of outputs) {
      if (kind !== "result") continue;
      for (const { key, value } of decodeRecords(bytes, { codecs, sizeMax: resultBytesMax })) {
        if (signal.aborted) return;
        const row = value ?? key ?? new Uint8Array();
        const isKeyed = key !== null;
        const change = value === null ? "delete" : isKeyed ? "update" : "insert";
        yield { kind: change, row, cursor: null };
      }
    }
  }
}

/** A stream that does not say where to begin is read from now on. */
function fromLatest(node: PlanNode): PlanNode {
  if (node.kind !== "source") return mapInputs(node, fromLatest);
  if (node.options["scan.startup.mode"] !== undefined) return node;
  return { ...node, startup: { mode: "latest" } };
}
