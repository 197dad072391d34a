/** `streamctl group reset`: moves a group's committed offsets. */
import * as z from "zod";
import { count, option, text } from "../../runtime/node/option-kinds.ts";
import { UsageError } from "../../runtime/node/options.ts";
import { commitOffsetsAnswer, readAnswer, topicDetails } from "../../wire/http/shapes.ts";
import { type ApiClient, apiClient, clientOptions, writeJson } from "../api-client.ts";
import { momentAllowed, momentSchema } from "../client-kinds.ts";
import { CommandError, defineCommand, exitOk } from "../command.ts";
import { renderTable } from "../table.ts";
import { topicPath } from "../topic-view.ts";

type Target = "earliest" | "latest" | { readonly offset: number } | { readonly timestamp: number };

/** A number of up to nine digits is an offset, longer ones could be milliseconds since 1970. */
const targetSchema: z.ZodType<Target, string> = z.union([
  z.enum(["earliest", "latest"]),
  z
    .string()
    .regex(/^\d{1,16}$/)
    .transform((given) => ({ offset: Number(given) })),
  z
    .templateLiteral(["time:", z.string()])
    .transform((given) => given.slice("time:".length))
    .pipe(momentSchema)
    .transform((timestamp) => ({ timestamp })),
]) as unknown as z.ZodType<Target, string>;

export const groupResetCommand = defineCommand({
  name: "group reset",
  summary: "Move the committed offsets of a group without members",
  positionals: [{ name: "GROUP", doc: "the group's id; made if there is none" }],
  options: {
    topic: text("TOPIC", { doc: "the topic whose offsets move" }),
    to: option(
      "PLACE",
      `earliest, latest, an offset, or time: with ${momentAllowed}`,
      targetSchema,
      { doc: "earliest, latest, an offset, or time:2026-05-01T12:00:00Z, time:15m (ago)" },
    ),
    partition: count(
      "N",
      { min: 0, max: 2 ** 31 - 1 },
      { doc: "only this partition", fallbackShown: "all" },
    ),
    ...clientOptions,
  },
  examples: [
    "streamctl group reset billing --topic orders --to earliest",
    "streamctl group reset billing --topic orders --partition 2 --to 1500",
  ],
  async run({ io, options, positionals: [groupId = ""] }) {
    const { topic, to } = options;
    if (topic === undefined) throw new UsageError("--topic is missing: say whose offsets move");
    if (to === undefined) throw new UsageError("--to is missing: earliest, latest, an offset…");
    const api = apiClient(options);
    const offsets = await targetOffsets(api, { topic, to, partition: options.partition });
    const path = `/v1/groups/${encodeURIComponent(groupId)}/offsets`;
    const answer = await api.call(commitOffsetsAnswer, "PUT", path, { json: { offsets } });
    if (options.output === "json") await writeJson(io, answer);
    else {
      const columns = [
        { title: "TOPIC" },
        { title: "PARTITION", align: "right" },
        { title: "COMMITTED", align: "right" },
      ] as const;
      const rows = answer.offsets.map((each) => [each.topic, each.partition, each.offset]);
      await io.stdout.write(renderTable(io.stdout, columns, rows));
    }
    return exitOk;
  },
});

async function targetOffsets(
  api: ApiClient,
  request: { readonly topic: string; readonly to: Target; readonly partition: number | undefined },
) {
  const { topic, to, partition } = request;
  const details = await api.call(topicDetails, "GET", topicPath(topic));
  const chosen = details.partitionStatus.filter(
    (each) => partition === undefined || each.partition === partition,
  );
  if (chosen.length === 0) {
    throw new CommandError(
      "partition_unknown",
      `Topic ${topic} has no partition ${partition}: it has 0 to ${details.partitions - 1}`,
    );
  }
  const offsets = [];
  for (const each of chosen) {
    const offset = await targetOffset(api, { topic, to, status: each });
    offsets.push({ topic, partition: each.partition, offset });
  }
  return offsets;
}

interface Range {
  readonly partition: number;
  readonly logStartOffset: number;
  readonly highOffset: number;
}

/** An offset outside of the log moves to its nearer end: committing it would only fail later. */
async function targetOffset(
  api: ApiClient,
  request: { readonly topic: string; readonly to: Target; readonly status: Range },
): Promise<number> {
  const { topic, to, status } = request;
  if (to === "earliest") return status.logStartOffset;
  if (to === "latest") return status.highOffset;
  if ("offset" in to) {
    return Math.min(status.highOffset, Math.max(status.logStartOffset, to.offset));
  }
  const path = `${topicPath(topic)}/partitions/${status.partition}/records`;
  const query = { offset: `timestamp:${to.timestamp}`, maxBytes: 1 };
  const found = await api.call(readAnswer, "GET", path, { query });
  return found.records[0]?.offset ?? found.nextOffset;
}
