/**
 * Every setting of a worker, in one table: `streamctl server --help`, the parser and the table in
 * docs/OPERATIONS.md all come from it. Those that the Worker has too lie in common-settings.ts. A
 * setting `flushBytes` is the flag `--flush-bytes` and the variable `MILLRACE_FLUSH_BYTES`.
 */
import * as z from "zod";
import { isStreamError } from "../base/stream-error.ts";
import { parseStoreUrl, type StoreUrl } from "../store/store-url.ts";
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
} from "./common-settings.ts";
import {
  count,
  type HostPort,
  hostPortSchema,
  oneOf,
  onOff,
  option,
  showHostPort,
  size,
  text,
  toggle,
} from "./node/option-kinds.ts";
import {
  type Option,
  type OptionTable,
  type OptionValues,
  parseOptions,
  UsageError,
} from "./node/options.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

const hostPortAllowed = "HOST:PORT such as 127.0.0.1:8080 or [::1]:8080; port 0 takes a free one";

const kafkaSchema: z.ZodType<HostPort | "off", string> = z.union([
  z.literal("off"),
  hostPortSchema,
]);

const storeSchema: z.ZodType<StoreUrl, string> = z.string().transform((given, context) => {
  try {
    return parseStoreUrl(given);
  } catch (error) {
    if (!isStreamError(error)) throw error;
    const reason = error.message.slice(error.message.indexOf(" as a store: ") + 13);
    context.addIssue({ code: "custom", message: error.message, params: { reason } });
    return z.NEVER;
  }
});

const listeners = {
  http: option("HOST:PORT", hostPortAllowed, hostPortSchema, {
    env: "MILLRACE_HTTP",
    fallback: "127.0.0.1:8080",
    doc: "where HTTP listens",
  }),
  kafka: option("HOST:PORT|off", `off or ${hostPortAllowed}`, kafkaSchema, {
    env: "MILLRACE_KAFKA",
    fallback: "127.0.0.1:9092",
    doc: "where the Kafka protocol listens",
  }),
  kafkaAdvertised: option("HOST:PORT", "HOST:PORT as clients reach it", hostPortSchema, {
    env: "MILLRACE_KAFKA_ADVERTISED",
    fallbackShown: "where it listens",
    doc: "address given to Kafka clients; behind a TCP proxy, the proxy's",
  }),
} as const;

const storage = {
  data: text("DIR", {
    env: "MILLRACE_DATA",
    fallback: "./data",
    doc: "folder of the default store and of the default metadata",
  }),
  store: option(
    "URL",
    "file:DIR, memory: or s3://bucket/prefix?endpoint=http://…&region=…&path-style=true",
    storeSchema,
    {
      env: "MILLRACE_STORE",
      fallbackShown: "file:DATA/objects",
      doc:
        "where segments go: file:DIR, memory:, " +
        "s3://bucket/prefix?endpoint=…&region=…&path-style=true",
    },
  ),
  metadata,
  metadataToken,
  awsAccessKeyId: text("KEY", {
    env: "AWS_ACCESS_KEY_ID",
    envOnly: true,
    fallbackShown: "the AWS SDK's own search",
    doc: "access key for S3",
  }),
  awsSecretAccessKey: text("SECRET", {
    env: "AWS_SECRET_ACCESS_KEY",
    envOnly: true,
    doc: "secret key for S3",
  }),
  awsSessionToken: text("TOKEN", {
    env: "AWS_SESSION_TOKEN",
    envOnly: true,
    doc: "session token for S3, with temporary keys",
  }),
  awsRegion: text("REGION", {
    env: "AWS_REGION",
    envOnly: true,
    doc: "region of S3, where the store's URL names none",
    fallback: "us-east-1",
  }),
  fsync: onOff({
    env: "MILLRACE_FSYNC",
    fallback: "on",
    doc: "folder store: whether a record survives power loss before it is acknowledged",
  }),
} as const;

const flushing = {
  flushBytes: size(
    { min: 64 * KiB, max: 256 * MiB },
    {
      env: "MILLRACE_FLUSH_BYTES",
      fallback: "8MiB",
      doc: "a segment of this size is written at once, whatever the other limits say",
    },
  ),
  flushAgeMs,
  flushRateMax,
  cacheBytes: size(
    { min: MiB, max: 64 * GiB },
    { env: "MILLRACE_CACHE_BYTES", fallback: "128MiB", doc: "memory for recent records" },
  ),
  queueBytes: size(
    { min: 16 * MiB, max: 4 * GiB },
    {
      env: "MILLRACE_QUEUE_BYTES",
      fallback: "128MiB",
      doc:
        "memory for requests not yet answered, and as much for answers on their way; " +
        "past it clients are slowed",
    },
  ),
  viewMemoryBytes: size(
    { min: 8 * MiB, max: 2 * GiB },
    {
      env: "MILLRACE_VIEW_MEMORY_BYTES",
      fallback: "512MiB",
      doc:
        "memory for the tables of materialized views that are read here, of all together; " +
        "past it those go that were not asked for longest",
    },
  ),
  viewIdleMs: count(
    "MS",
    { min: 1_000, max: 7 * 24 * 3_600_000 },
    {
      env: "MILLRACE_VIEW_IDLE_MS",
      fallback: "600000",
      doc: "a view's table goes when nobody has read it for so long",
    },
  ),
  viewChangesMax: count(
    "N",
    { min: 1, max: 16_777_216 },
    {
      env: "MILLRACE_VIEW_CHANGES_MAX",
      fallback: "65536",
      doc:
        "changes of a view kept for followers who come back; who is further behind reads a " +
        "table of its own",
    },
  ),
} as const;

const topics = {
  autoCreateTopics,
  defaultPartitions,
} as const;

const access = {
  token,
  allowAnonymous: toggle({
    env: "MILLRACE_ALLOW_ANONYMOUS",
    doc: "listen beyond loopback without MILLRACE_TOKEN",
  }),
  origins,
  publicTopics,
} as const;

const logging = {
  logLevel,
  logFormat: oneOf(["text", "json"], {
    env: "MILLRACE_LOG_FORMAT",
    fallbackShown: "text on a terminal, else json",
    doc: "how log lines are printed",
  }),
} as const;

/** The settings by chapter, in the order of the help. */
export const settingChapters = {
  Listeners: listeners,
  Storage: storage,
  Flushing: flushing,
  Topics: topics,
  Access: access,
  Logs: logging,
} as const satisfies Readonly<Record<string, OptionTable>>;

export const settingTable = {
  ...listeners,
  ...storage,
  ...flushing,
  ...topics,
  ...access,
  ...logging,
} as const;

type GivenSettings = OptionValues<typeof settingTable>;

/** Settings whose default depends on others, once those are known. */
interface DerivedSettings {
  readonly store: NonNullable<GivenSettings["store"]>;
  readonly metadata: NonNullable<GivenSettings["metadata"]>;
  readonly flushRateMax: number;
  readonly origins: readonly string[];
  readonly publicTopics: readonly string[];
}

export type Settings = Omit<GivenSettings, keyof DerivedSettings> & DerivedSettings;

/** Writes per second on S3 and R2 unless set: about $50 a month at their price of a PUT. */
const flushRateMaxOnS3 = 4;

/**
 * Reads the settings from `argv` (what follows `server`) and `env`.
 * @throws UsageError naming the setting, its value and what is allowed.
 */
export function readSettings(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  const parsed = parseOptions(settingTable, { argv, env, command: "streamctl server" });
  const stray = parsed.positionals[0];
  if (stray !== undefined) {
    throw new UsageError(
      `"${stray}" means nothing here: settings are written --name value, ` +
        "see streamctl server --help",
    );
  }
  const settings = derive(parsed.values);
  checkExposure(settings);
  checkTogether(settings);
  checkKeys(settings);
  return settings;
}

/** Completes `given` by the defaults that depend on other settings. */
function derive(given: GivenSettings): Settings {
  const store = given.store ?? ({ kind: "folder", directory: `${given.data}/objects` } as const);
  const metadata =
    given.metadata ??
    (store.kind === "memory"
      ? ({ kind: "memory" } as const)
      : ({ kind: "file", path: `${given.data}/metadata.db` } as const));
  return {
    ...given,
    store,
    metadata,
    flushRateMax: given.flushRateMax ?? (store.kind === "s3" ? flushRateMaxOnS3 : 0),
    origins: given.origins ?? [],
    publicTopics: given.publicTopics ?? [],
  };
}

/** Whoever reaches the port may write and delete: beyond this machine that must be meant. */
function checkExposure(settings: Settings): void {
  if (settings.token !== undefined || settings.allowAnonymous) return;
  const binds = [["--http", settings.http] as const, ["--kafka", settings.kafka] as const];
  for (const [flag, bind] of binds) {
    if (bind === "off" || isLoopback(bind.host)) continue;
    throw new UsageError(
      `${flag} ${showHostPort(bind)} can be reached from other machines, by anyone: ` +
        "set MILLRACE_TOKEN to a shared secret, or say --allow-anonymous",
    );
  }
}

function checkTogether({ store, metadata }: Settings): void {
  if ((store.kind === "memory") !== (metadata.kind === "memory")) {
    const [volatile, lasting] =
      store.kind === "memory" ? ["--store", "--metadata"] : ["--metadata", "--store"];
    throw new UsageError(
      `${volatile} memory: forgets everything at exit while ${lasting} keeps it: ` +
        "let both be memory: or neither",
    );
  }
}

function checkKeys({ awsAccessKeyId, awsSecretAccessKey }: Settings): void {
  if ((awsAccessKeyId === undefined) === (awsSecretAccessKey === undefined)) return;
  const [given, missing] =
    awsAccessKeyId === undefined
      ? ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"]
      : ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
  throw new UsageError(`${given} is set and ${missing} is not: set both or neither`);
}

/** Whether `host` is reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Variables that look like settings and are none: most likely misspelled. */
export function strayVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set(Object.values(settingTable).map((each: Option<unknown>) => each.env));
  const clientOnly = new Set(["MILLRACE_URL"]);
  return Object.keys(env).filter(
    (name) => name.startsWith("MILLRACE_") && !known.has(name) && !clientOnly.has(name),
  );
}
