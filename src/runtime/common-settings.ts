/** The settings that servers and the Worker share: their names, bounds and words. */
import * as z from "zod";
import { isTokenText } from "../wire/http/access-token.ts";
import { type MetadataLocation, parseMetadataUrl } from "./node/metadata-url.ts";
import { count, oneOf, onOff, option, text } from "./node/option-kinds.ts";

/** A web origin exactly as browsers send it: scheme, host and port, no path. */
const originsSchema: z.ZodType<readonly string[], string> = z
  .string()
  .transform((list) => list.split(",").map((origin) => origin.trim()))
  .refine((origins) => origins.every(isOrigin));

const topicNamesSchema: z.ZodType<readonly string[], string> = z
  .string()
  .transform((list) => list.split(",").map((name) => name.trim()))
  .refine((names) => names.every((name) => /^[a-zA-Z0-9._-]{1,249}$/.test(name)));

function isOrigin(given: string): boolean {
  return URL.canParse(given) && new URL(given).origin === given;
}

/** What begins so is taken for an access token. */
const tokenSchema = z
  .string()
  .min(1)
  .refine((given) => !isTokenText(given));

const metadataSchema: z.ZodType<MetadataLocation, string> = z
  .string()
  .transform((given, context) => {
    const location = parseMetadataUrl(given);
    if (location !== undefined) return location;
    context.addIssue({ code: "custom", message: "no address of metadata" });
    return z.NEVER;
  });

export const metadata = option(
  "URL",
  "file:PATH, memory:, http://HOST:PORT, https://HOST or libsql://HOST",
  metadataSchema,
  {
    env: "MILLRACE_METADATA",
    fallbackShown: "file:DATA/metadata.db",
    doc: "libSQL database: file:PATH for one worker, http(s)://… or libsql://… for several",
  },
);

export const metadataToken = text("TOKEN", {
  env: "MILLRACE_METADATA_TOKEN",
  envOnly: true,
  doc: "token for the libSQL server",
});

export const flushAgeMs = count(
  "MS",
  { min: 0, max: 60_000 },
  {
    env: "MILLRACE_FLUSH_AGE_MS",
    fallback: "250",
    doc: "the longest that a record waits for company under load; an idle worker writes at once",
  },
);

export const flushRateMax = count(
  "N",
  { min: 0, max: 10_000 },
  {
    env: "MILLRACE_FLUSH_RATE_MAX",
    fallbackShown: "4 on S3, else 0",
    doc: "writes per second to sustain (burst 20), so that S3 costs a known sum; 0: no ceiling",
  },
);

export const autoCreateTopics = onOff({
  env: "MILLRACE_AUTO_CREATE_TOPICS",
  fallback: "on",
  doc: "make a topic when it is first written to or asked for, as Kafka does",
});

export const defaultPartitions = count(
  "N",
  { min: 1, max: 10_000 },
  {
    env: "MILLRACE_DEFAULT_PARTITIONS",
    fallback: "1",
    doc: "partitions of a topic made without saying how many",
  },
);

export const token = option("TOKEN", "a text that does not begin with mrt_", tokenSchema, {
  env: "MILLRACE_TOKEN",
  envOnly: true,
  doc: "shared secret that clients show: HTTP Bearer, password of SASL PLAIN",
});

export const origins = option(
  "ORIGIN,…",
  "origins such as https://app.example, separated by commas",
  originsSchema,
  {
    env: "MILLRACE_ORIGINS",
    fallbackShown: "none",
    doc: "web origins whose pages may write",
  },
);

export const publicTopics = option(
  "TOPIC,…",
  "names of topics, separated by commas",
  topicNamesSchema,
  {
    env: "MILLRACE_PUBLIC_TOPICS",
    fallbackShown: "none",
    doc: "topics that anybody may read over HTTP, without a token and from any page",
  },
);

export const logLevel = oneOf(["debug", "info", "warn", "error"], {
  env: "MILLRACE_LOG_LEVEL",
  fallback: "info",
  doc: "the least severe lines to print",
});
