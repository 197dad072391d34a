/** `streamctl consume`. */
import { count, option, text, toggle } from "../../runtime/node/option-kinds.ts";
import { type OptionValues, UsageError } from "../../runtime/node/options.ts";
import { clock } from "../../runtime/node/platform.ts";
import { commitOffsetsAnswer, groupDetails, topicDetails } from "../../wire/http/shapes.ts";
import { type ApiClient, apiClient, clientOptions } from "../api-client.ts";
import { momentAllowed, momentSchema } from "../client-kinds.ts";
import { type CommandCall, CommandError, defineCommand, exitOk } from "../command.ts";
import { styled } from "../io.ts";
import { type Reading, type ReadRecord, readPartitions } from "../record-reader.ts";
import { recordJson, recordText, showOption } from "../record-view.ts";
import { topicPath } from "../topic-view.ts";

const options = {
  fromBeginning: toggle({ doc: "start at the earliest record" }),
  offset: count("N", { min: 0 }, { doc: "start at this offset; needs --partition" }),
  fromTime: option("TIME", momentAllowed, momentSchema, {
    doc: "start at the first record of this time or later: 2026-05-01T12:00:00Z, 15m (ago)",
  }),
  partition: count(
    "N",
    { min: 0, max: 2 ** 31 - 1 },
    { doc: "read this partition", fallbackShown: "all" },
  ),
  group: text("GROUP", {
    doc: "start where this group has committed, else at the earliest; commit what is printed",
  }),
  max: count("N", { min: 1 }, { doc: "end after so many records" }),
  follow: toggle({ short: "f", doc: "wait for more at the end" }),
  show: showOption,
  ...clientOptions,
} as const;

type ConsumeCall = CommandCall<typeof options>;
type Given = OptionValues<typeof options>;

/** Commits of a group go out this often while records come. */
const commitEveryMs = 1_000;

export const consumeCommand = defineCommand({
  name: "consume",
  summary: "Print the records of a topic",
  positionals: [{ name: "TOPIC", doc: "the topic's name" }],
  options,
  examples: [
    "streamctl consume orders --from-beginning            # all there is, then end",
    "streamctl consume orders                             # what comes from now on",
    "streamctl consume orders --from-time 15m --follow --show key,offset",
    "streamctl consume orders --partition 2 --offset 1500 --max 10 -o json",
    "streamctl consume orders --group billing --follow",
  ],
  async run(call) {
    checkCombination(call.options);
    const topic = call.positionals[0] ?? "";
    const api = apiClient(call.options);
    const readings = await startReadings(api, topic, call.options);
    const progress = new Consumption(call, { api, topic });
    try {
      await readPartitions({
        api,
        topic,
        readings,
        signal: call.io.signal,
        onRecords: (partition, records) => progress.take(partition, records),
        onTrouble: async (message) => {
          await call.io.stderr.write(`${styled(call.io.stderr, "yellow", message)}\n`);
        },
      });
    } finally {
      await progress.commit();
    }
    return exitOk;
  },
});

function checkCombination(given: Given): void {
  const starts = [
    ...(given.fromBeginning && given.group === undefined ? ["--from-beginning"] : []),
    ...(given.offset === undefined ? [] : ["--offset"]),
    ...(given.fromTime === undefined ? [] : ["--from-time"]),
    ...(given.group === undefined ? [] : ["--group"]),
  ];
  if (starts.length > 1) {
    throw new UsageError(`${starts.join(" and ")} exclude each other: give one place to start`);
  }
  if (given.offset !== undefined && given.partition === undefined) {
    throw new UsageError("--offset needs --partition: each partition has offsets of its own");
  }
}

/** Whether reading goes on at the end: asked for, or there would be nothing to print at all. */
function follows(given: Given): boolean {
  const hasStart =
    given.fromBeginning ||
    given.offset !== undefined ||
    given.fromTime !== undefined ||
    given.group !== undefined;
  return given.follow || !hasStart;
}

async function startReadings(api: ApiClient, topic: string, given: Given): Promise<Reading[]> {
  const details = await api.call(topicDetails, "GET", topicPath(topic));
  const statuses = details.partitionStatus.filter(
    (each) => given.partition === undefined || each.partition === given.partition,
  );
  if (statuses.length === 0) {
    throw new CommandError(
      "partition_unknown",
      `Topic ${topic} has no partition ${given.partition}: it has 0 to ${details.partitions - 1}`,
    );
  }
  const committed = await committedOffsets(api, topic, given.group);
  return statuses.map(({ partition, logStartOffset, highOffset }) => ({
    partition,
    offset: startOffset(given, { logStartOffset, highOffset, committed: committed.get(partition) }),
    endOffset: follows(given) ? undefined : highOffset,
  }));
}

function startOffset(
  given: Given,
  at: {
    readonly logStartOffset: number;
    readonly highOffset: number;
    readonly committed: number | undefined;
  },
): string {
  if (given.offset !== undefined) return String(given.offset);
  if (given.fromTime !== undefined) return `timestamp:${given.fromTime}`;
  if (given.group !== undefined) return String(Math.max(at.logStartOffset, at.committed ?? 0));
  return String(given.fromBeginning ? at.logStartOffset : at.highOffset);
}

async function committedOffsets(
  api: ApiClient,
  topic: string,
  groupId: string | undefined,
): Promise<ReadonlyMap<number, number>> {
  if (groupId === undefined) return new Map();
  try {
    const group = await api.call(groupDetails, "GET", `/v1/groups/${encodeURIComponent(groupId)}`);
    const own = group.offsets.filter((each) => each.topic === topic);
    return new Map(own.map((each) => [each.partition, each.offset]));
  } catch (error) {
    if (error instanceof CommandError && error.code === "group_unknown") return new Map();
    throw error;
  }
}

/** Prints records, counts them, and commits for the group what has been printed. */
class Consumption {
  readonly #call: ConsumeCall;
  readonly #api: ApiClient;
  readonly #topic: string;
  readonly #uncommitted = new Map<number, number>();
  #count = 0;
  #committedMs = clock.monotonic();

  constructor(call: ConsumeCall, at: { readonly api: ApiClient; readonly topic: string }) {
    this.#call = call;
    this.#api = at.api;
    this.#topic = at.topic;
  }

  /** False when there were enough. */
  async take(partition: number, records: readonly ReadRecord[]): Promise<boolean> {
    const { options: given } = this.#call;
    const left = (given.max ?? Number.POSITIVE_INFINITY) - this.#count;
    const taken = records.slice(0, left);
    await this.#print(partition, taken);
    this.#count += taken.length;
    const last = taken.at(-1);
    if (last !== undefined) this.#uncommitted.set(partition, last.offset + 1);
    if (clock.monotonic() - this.#committedMs >= commitEveryMs) await this.commit();
    return this.#count < (given.max ?? Number.POSITIVE_INFINITY);
  }

  /** Commits after printing: whoever stops in between sees records again, and misses none. */
  async commit(): Promise<void> {
    const { group } = this.#call.options;
    this.#committedMs = clock.monotonic();
    if (group === undefined || this.#uncommitted.size === 0) return;
    const offsets = [...this.#uncommitted].map(([partition, offset]) => ({
      topic: this.#topic,
      partition,
      offset,
    }));
    this.#uncommitted.clear();
    const path = `/v1/groups/${encodeURIComponent(group)}/offsets`;
    await this.#api.call(commitOffsetsAnswer, "PUT", path, { json: { offsets } });
  }

  async #print(partition: number, records: readonly ReadRecord[]): Promise<void> {
    const { io, options: given } = this.#call;
    if (given.output === "json") {
      await io.stdout.write(records.map((record) => recordJson(partition, record)).join(""));
      return;
    }
    const show = given.show ?? [];
    const lines = records.map((record) => recordText(io.stdout, record, { partition, show }));
    await io.stdout.write(Buffer.concat(lines));
  }
}
