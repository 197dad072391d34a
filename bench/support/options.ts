/** What every benchmark may be told; each heeds those that its own summary names. */
import { tmpdir } from "node:os";
import * as z from "zod";
import { codecNames } from "../../src/base/codecs.ts";
import {
  count,
  type HostPort,
  oneOf,
  onOff,
  option,
  parseHostPort,
  size,
  text,
  toggle,
} from "../../src/runtime/node/option-kinds.ts";
import type { OptionValues } from "../../src/runtime/node/options.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** Broker that the benchmark starts itself from `--kafka-libs`, with Flink from `--flink` or not. */
export type Rival = HostPort | "kafka" | "flink";

const rivalSchema: z.ZodType<Rival, string> = z.string().transform((given, context) => {
  const isNamed = given === "kafka" || given === "flink";
  const rival = isNamed ? given : parseHostPort(given);
  if (rival !== undefined) return rival;
  context.addIssue({ code: "custom", message: "neither a broker nor kafka nor flink" });
  return z.NEVER;
});

const brokerSchema: z.ZodType<HostPort, string> = z.string().transform((given, context) => {
  const address = parseHostPort(given);
  if (address !== undefined) return address;
  context.addIssue({ code: "custom", message: "not a broker" });
  return z.NEVER;
});

/** Environment for paths that stay the same from run to run. */
const surroundings = {
  against: option(
    "HOST:PORT|kafka|flink",
    "HOST:PORT of a Kafka broker, or kafka, or flink",
    rivalSchema,
    {
      doc:
        "give the same load to this broker in turn; kafka starts one from --kafka-libs; " +
        "flink, for nexmark, runs it on one with --flink",
    },
  ),
  kafkaLibs: text("DIR", {
    env: "MILLRACE_BENCH_KAFKA_LIBS",
    doc: "folder with the jars of Kafka, for --tool and --against kafka",
  }),
  flink: text("DIR", {
    env: "MILLRACE_BENCH_FLINK",
    doc: "folder with the jars of Flink's SQL and of its connectors for Kafka and JSON",
  }),
  java: text("PROGRAM", { env: "MILLRACE_BENCH_JAVA", fallback: "java", doc: "runs the jars" }),
  store: text("URL", {
    env: "MILLRACE_BENCH_STORE",
    doc: "the worker's store, s3://bucket/prefix?…; each run takes a prefix of its own below it",
  }),
  metadata: text("URL", {
    env: "MILLRACE_BENCH_METADATA",
    doc: "libSQL server with an empty database, for workers that share it",
  }),
  sqld: text("PROGRAM", {
    env: "MILLRACE_BENCH_SQLD",
    doc: "in place of --metadata: start this libSQL server on an empty database",
  }),
  folder: text("DIR", { fallback: tmpdir(), doc: "where temporary data goes: choose the disk" }),
  serverFlags: text("TEXT", { doc: "further words for `streamctl server`, between spaces" }),
} as const;

const load = {
  rounds: count("N", { min: 1, max: 1000 }, { fallback: "5", doc: "alternations; medians count" }),
  seconds: count("N", { min: 1, max: 3600 }, { fallback: "5", doc: "length of one measurement" }),
  records: count("N", { min: 1 }, { doc: "records of one measurement, where these are counted" }),
  loads: text("LIST", {
    doc: "produce: which of large, large-fsync, default, small; between commas",
  }),
  recordBytes: size({ min: 1, max: 64 * MiB }, { doc: "value of one record" }),
  batchBytes: size({ min: 100, max: 64 * MiB }, { doc: "records of one batch" }),
  partitions: count("N", { min: 1, max: 10_000 }, { fallback: "8", doc: "of the topic" }),
  connections: count("N", { min: 1, max: 10_000 }, { doc: "clients at once" }),
  inFlight: count("N", { min: 1, max: 100 }, { fallback: "5", doc: "requests of a connection" }),
  cacheBytes: size({ min: MiB, max: 4 * GiB }, { fallback: "128MiB", doc: "the worker's setting" }),
  fsync: onOff({ fallback: "off", doc: "the worker's setting" }),
  tool: toggle({ doc: "load from Kafka's own performance tools instead of our raw client" }),
} as const;

/** What Nexmark events are made of, and where they go. */
const nexmark = {
  events: count("N", { min: 1 }, { fallback: "1000000", doc: "nexmark: how many events" }),
  seed: count(
    "N",
    { min: 0, max: 2 ** 32 - 1 },
    { fallback: "1", doc: "nexmark: same seed, same events" },
  ),
  disorder: count(
    "N",
    { min: 1, max: 1_000_000 },
    {
      fallback: "1",
      doc: "nexmark: events are out of order within groups of N",
    },
  ),
  delayed: count(
    "PERCENT",
    { min: 0, max: 100 },
    {
      fallback: "0",
      doc: "nexmark: events that come up to 3 s late",
    },
  ),
  out: text("FILE", { doc: "nexmark: write the events to this file, one a line" }),
  broker: option("HOST:PORT", "HOST:PORT of a broker", brokerSchema, {
    doc: "nexmark: append the events to --topic there",
  }),
  topic: text("NAME", { fallback: "nexmark", doc: "nexmark: made if it is not there" }),
  batchEvents: count(
    "N",
    { min: 1, max: 100_000 },
    {
      fallback: "1000",
      doc: "nexmark: events of one batch; batches go to the partitions in turn",
    },
  ),
  queries: text("LIST", {
    doc: "nexmark: which queries, between commas; none: fill, or the generator alone",
  }),
  codec: oneOf(codecNames, { fallback: "none", doc: "nexmark: compression of the batches" }),
} as const;

export const benchOptions = { ...load, ...nexmark, ...surroundings } as const;

export type BenchOptions = OptionValues<typeof benchOptions>;
