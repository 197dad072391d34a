/**
 * The settings of the Worker: those of a server that mean something here, by the same names and
 * within the same bounds, as variables and secrets; and a few of its own.
 */

import {
  autoCreateTopics,
  defaultPartitions,
  flushAgeMs,
  flushRateMax,
  logLevel,
  metadata,
  metadataToken,
  origins,
  publicTopics,
  token,
} from "../common-settings.ts";
import { count, onOff, size, text } from "../node/option-kinds.ts";
import { type OptionValues, parseOptions, UsageError } from "../node/options.ts";
import type { Bindings } from "./bindings.ts";

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

const workerSettingTable = {
  ...{ token, origins, publicTopics, metadata, metadataToken, autoCreateTopics, defaultPartitions },
  ...{ flushAgeMs, flushRateMax, logLevel },
  storePrefix: text("PREFIX", {
    env: "MILLRACE_STORE_PREFIX",
    doc: "folder in the bucket, as in --store r2://BUCKET/PREFIX of workers beside",
  }),
  shards: count(
    "N",
    { min: 1, max: 64 },
    {
      env: "MILLRACE_SHARDS",
      fallback: "1",
      doc: "Durable Objects that take appends; a producer, or else an address, keeps to one",
    },
  ),
  shardsMax: count(
    "N",
    { min: 1, max: 64 },
    {
      env: "MILLRACE_SHARDS_MAX",
      fallbackShown: "MILLRACE_SHARDS",
      doc: "up to so many of them while those in use are full, and fewer again when it is calm",
    },
  ),
  shardRateMax: count(
    "N",
    { min: 1, max: 1_000_000 },
    {
      env: "MILLRACE_SHARD_RATE_MAX",
      fallback: "500",
      doc: "requests a second from which one of them is full",
    },
  ),
  peers: onOff({
    env: "MILLRACE_PEERS",
    fallback: "off",
    doc: "workers outside share the metadata: objects look for their publishes while readers wait",
  }),
  queries: onOff({
    env: "MILLRACE_QUERIES",
    fallback: "off",
    doc: "continuous queries run, each in an object of its own",
  }),
  stateBytes: size(
    { min: MiB / 16, max: 12 * MiB },
    {
      env: "MILLRACE_STATE_BYTES",
      fallback: "3MiB",
      doc: "what groups, windows and sessions of a query take of memory before they leave it",
    },
  ),
  scratchBytes: size(
    { min: 0, max: 8 * GiB },
    {
      env: "MILLRACE_SCRATCH_BYTES",
      fallback: "1GiB",
      doc: "what has left memory may take so much of its object's own storage",
    },
  ),
} as const;

type GivenSettings = OptionValues<typeof workerSettingTable>;

export type WorkerSettings = Omit<
  GivenSettings,
  "metadata" | "peers" | "origins" | "publicTopics" | "shardsMax"
> & {
  /** At least as many as `shards`. */
  readonly shardsMax: number;
  readonly metadataUrl: string;
  readonly origins: readonly string[];
  readonly publicTopics: readonly string[];
  /** Others publish who cannot call an object. */
  readonly hasPeers: boolean;
};

const settingsOf = new WeakMap<Bindings, WorkerSettings>();

/**
 * The same, read once for the bindings of an isolate, which never change: reading them takes longer
 * than to hand an append over.
 *
 * @throws UsageError as below
 */
export function workerSettingsOf(bindings: Bindings): WorkerSettings {
  const known = settingsOf.get(bindings);
  if (known !== undefined) return known;
  const settings = readWorkerSettings(bindings);
  settingsOf.set(bindings, settings);
  return settings;
}

/** @throws UsageError naming the variable, its value and what is allowed. */
export function readWorkerSettings(bindings: Bindings): WorkerSettings {
  const env = variablesOf(bindings);
  const source = { argv: [], env, command: "docs/EDGE.md" };
  const { values } = parseOptions(workerSettingTable, source);
  const {
    metadata: location,
    peers,
    origins: listed = [],
    publicTopics: open = [],
    shardsMax: most = 1,
    ...settings
  } = values;
  if (location?.kind !== "server") {
    throw new UsageError(
      "MILLRACE_METADATA must be the URL of a libSQL server: libsql://…, https://… or http://…",
    );
  }
  const shardsMax = Math.max(most, settings.shards);
  const lists = { origins: listed, publicTopics: open };
  return { ...settings, ...lists, metadataUrl: location.url, shardsMax, hasPeers: peers };
}

/** What else is bound is no text. */
function variablesOf(bindings: Bindings): Readonly<Record<string, string>> {
  const texts = Object.entries(bindings).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(texts);
}
