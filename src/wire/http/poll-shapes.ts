/** The JSON of `POST /v1/groups/{group}/poll`. */
import * as z from "zod";
import { pollRecordsMax, readWaitMsMax } from "./queries.ts";
import { partitionGap, streamRecord } from "./shapes.ts";

export const pollRequest = z
  .strictObject({
    topics: z.array(z.string()).min(1).max(100).describe("Topics by name."),
    max_records: z
      .int()
      .min(0)
      .max(pollRecordsMax)
      .default(500)
      .describe("Records in the answer; 0 commits the position and leaves the group."),
    wait_ms: z
      .int()
      .min(0)
      .max(readWaitMsMax)
      .default(0)
      .describe("How long to wait when there is nothing to read, in milliseconds."),
    position: z
      .string()
      .max(4 * 1024 * 1024)
      .optional()
      .describe("Of the last answer, whose records are then committed; none: a new client."),
    offset: z
      .enum(["earliest", "latest"])
      .default("earliest")
      .describe("Where the group begins in a partition of which it has committed nothing."),
    lease_ms: z
      .int()
      .min(1_000)
      .max(600_000)
      .default(30_000)
      .describe("How long the client's partitions wait for its next poll, in milliseconds."),
    values: z
      .enum(["text", "json"])
      .default("text")
      .describe("`json` embeds values that are JSON as their exact source."),
  })
  .meta({ id: "PollRequest" });

export const pollAnswer = z
  .object({
    records: z.array(streamRecord.extend({ topic: z.string() }).meta({ id: "PolledRecord" })),
    gaps: z
      .array(partitionGap.extend({ topic: z.string() }))
      .describe("Offsets that were gone before they were read."),
    position: z.string().describe("For the next poll, at any worker."),
  })
  .meta({ id: "PollAnswer" });

export type PollRequest = z.infer<typeof pollRequest>;
