/** The JSON of `/v1/sql` and `/v1/queries`. */
import * as z from "zod";
import { problem } from "./problem.ts";

export const sqlRequest = z
  .strictObject({
    sql: z.string().describe("A statement, or several with `;` between them."),
    settings: z
      .record(z.string(), z.string())
      .optional()
      .describe("What `SET` would set, by key; `SET` alone lists all there is."),
    cursor: z
      .string()
      .optional()
      .describe(
        "Of a change: `EMIT CHANGES` over a view goes on behind it. `Last-Event-ID` does the same.",
      ),
  })
  .meta({ id: "SqlRequest" });

const column = z
  .object({ name: z.string(), type: z.string().describe("As SQL writes it: `DECIMAL(10, 2)`.") })
  .meta({ id: "SqlColumn" });

const row = z
  .record(z.string(), z.unknown())
  .describe("By column name. BIGINT and DECIMAL are numbers with all their digits.");

const message = z.object({ message: z.string().describe("What a statement did.") });

const rows = z.object({ columns: z.array(column), rows: z.array(row) });

const failure = problem.describe("Why the script stopped after the answer had begun.");

export const sqlAnswer = z
  .object({
    results: z.array(z.union([rows, message])).describe("One per statement, in order."),
    error: failure.optional(),
  })
  .meta({ id: "SqlAnswer" });

const change = z
  .object({
    change: z.enum(["snapshot", "insert", "update", "delete"]),
    cursor: z.string().nullable().describe("Where to go on behind it; null: it cannot be."),
    row: row.describe("As it is now; of one that is deleted, as it was."),
  })
  .meta({ id: "SqlChange" });

export const sqlEvent = z
  .union([row, z.object({ change: change.shape.change, row })])
  .meta({ id: "SqlEvent", description: "The `data` of an event; a change's cursor is its id." });

export const sqlRowLine = z.union([row, change, z.object({ error: failure })]).meta({
  id: "SqlRowLine",
  description:
    "A row, or of EMIT CHANGES a change, of the last statement that gives any. A last line with " +
    "`error` alone: the rows before it are not all.",
});

export const sqlProgress = z.object({
  recordsRead: z.int().min(0),
  bytesRead: z.int().min(0),
  bytesTotal: z.int().min(0),
});

export const sqlLine = z
  .union([
    message,
    z.object({ columns: z.array(column) }),
    z.object({ row }),
    change,
    z.object({ progress: sqlProgress }),
    z.object({ error: failure }),
    z.object({ end: z.literal(true) }),
  ])
  .meta({
    id: "SqlLine",
    description:
      "All of a script as it comes: a message per statement that gives no rows; columns and then " +
      "rows, with progress in between, per statement that does. The last line is `end` or `error`.",
  });

const time = z.int().describe("Milliseconds since 1970, UTC.");
const count = z.int().min(0);

const queryInput = z.object({
  topic: z.string(),
  watermark: time.nullable().describe("Event time up to which the input is complete."),
  heldBy: z.int().min(0).nullable().describe("The partition that holds it where it is."),
});

const live = z
  .object({
    rowsIn: count.describe("Since the query was made, as are all of these."),
    rowsOut: count,
    rowsLate: count.describe("In the topic `<target>.late`."),
    rowsWrong: count.describe("In the topic `<target>.errors`."),
    rowsAhead: count.describe("Too far in the future to move the watermark."),
    watermark: time.nullable().describe("The least of the inputs'."),
    inputs: z.array(queryInput),
    lastCommit: z
      .object({
        at: time,
        publishPosition: count,
        stateBytes: count.describe("State that it carried: all, or what had changed."),
      })
      .nullable(),
    restarts: count.describe("Times that it started over from its last commit, on this worker."),
    lastFailure: z.string().nullable().describe("Why it did so last."),
  })
  .meta({ id: "QueryLive" });

export const queryDetails = z
  .object({
    queryId: z.string().describe("Also its consumer group."),
    target: z.string().describe("The view or stream that it fills."),
    statement: z.string(),
    state: z
      .enum(["running", "waiting", "paused", "failed"])
      .describe("`waiting`: no worker has taken it yet."),
    failure: z.string().nullable().describe("Why it stopped by itself."),
    createdAt: time,
    worker: z
      .object({ nodeId: z.int(), httpUrl: z.string().nullable() })
      .nullable()
      .describe("The worker that runs it."),
    lag: count.describe("Records that it has not committed yet, over all partitions."),
    partitions: z.array(
      z.object({
        topic: z.string(),
        partition: z.int().min(0),
        position: count.describe("The next record to read, as of the last commit."),
        highOffset: count,
        lag: count,
      }),
    ),
    checkpointBytes: count.describe("Stored bytes of its checkpoints."),
    settings: z.object({
      commitIntervalMs: z.int(),
      memoryBytesMax: z.int(),
      quietTimeoutMs: z.int(),
      aheadMsMax: z.int(),
      onError: z.enum(["skip", "stop"]),
    }),
    plan: z.string().describe("As EXPLAIN shows it."),
    live: live.nullable().describe("As its worker knows it; null where nobody runs it."),
  })
  .meta({ id: "Query" });

export const queryList = z.object({ queries: z.array(queryDetails) }).meta({ id: "QueryList" });

export type QueryDetails = z.infer<typeof queryDetails>;
