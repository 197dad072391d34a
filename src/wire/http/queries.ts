/** Query parameters and request headers of the HTTP surface, as zod shapes over their text. */
import * as z from "zod";

/** What `maxBytes` may be, in bytes of stored batches. */
export const readBytes = { default: 1024 * 1024, max: 16 * 1024 * 1024 } as const;
/** What an answer over all partitions, which is made as a whole, may hold. */
const pollBytesMax = 4 * 1024 * 1024;
export const pollRecordsMax = 10_000;
/** The longest that a read waits for records. */
export const readWaitMsMax = 30_000;

const offsetPattern = /^(earliest|latest|timestamp:\d{1,15}|\d{1,15})$/;

export type OffsetText = "earliest" | "latest" | { timestamp: number } | { offset: number };

const offset = z
  .string()
  .regex(offsetPattern, "an offset, earliest, latest or timestamp:MS")
  .default("earliest")
  .describe(
    "An offset; `earliest`; `latest`; or `timestamp:MS`, the first record of that time or later.",
  );

const values = z
  .enum(["text", "json"])
  .default("text")
  .describe("`json` embeds values that are JSON as their exact source.");

export const readQuery = z.strictObject({
  offset,
  endOffset: integer({ min: 1, max: 2 ** 53 - 1 })
    .optional()
    .describe("Records below it only; caches may keep the answer, which tells no ends of the log."),
  topicId: z
    .string()
    .optional()
    .describe("The id that the topic must have: 410 when it was deleted and made again."),
  maxBytes: integer({ min: 1, max: readBytes.max })
    .default(readBytes.default)
    .describe("Bytes of stored records; one batch is given even if it is larger."),
  waitMs: integer({ min: 0, max: readWaitMsMax })
    .default(0)
    .describe("How long to wait when there is nothing to read, in milliseconds."),
  values,
});

export const streamQuery = z.strictObject({
  offset: offset
    .unwrap()
    .default("latest")
    .describe("As in reads; a number is taken for each partition, within its ends."),
  cursor: z.string().optional().describe("The id of an event, as in `Last-Event-ID`."),
  values,
});

export const recordsQuery = z.strictObject({
  ...{ offset, cursor: streamQuery.shape.cursor, values },
  waitMs: readQuery.shape.waitMs,
  maxBytes: integer({ min: 1, max: pollBytesMax })
    .default(readBytes.default)
    .describe("Bytes of stored records; one batch is given even if it is larger."),
  maxRecords: integer({ min: 1, max: pollRecordsMax })
    .default(pollRecordsMax)
    .describe("Records in the answer."),
});

export const streamHeaders = z.object({
  "Last-Event-ID": z
    .string()
    .optional()
    .describe("The id of the last event seen: the stream goes on right after it."),
});

export const kafkaQuery = z.strictObject({
  advertised: z
    .string()
    .regex(/^(?:[\w.-]+|\[[\da-fA-F:.]+\]):\d{1,5}$/, "host:port")
    .optional()
    .describe("`host:port` that clients are told is the broker; by default where they asked."),
  sasl: z.enum(["on"]).optional().describe("`on`: clients authenticate in the stream as well."),
});

export const selectQuery = z.strictObject({
  sql: z.string().describe("One SELECT; with `EMIT CHANGES` at its end it goes on."),
  cursor: z.string().optional().describe("The id of a change, as in `Last-Event-ID`."),
});

export const selectHeaders = z.object({
  "Last-Event-ID": z
    .string()
    .optional()
    .describe("The id of the last change seen: `EMIT CHANGES` over a view goes on behind it."),
});

const token = z
  .string()
  .optional()
  .describe("An access token, where no header can be sent: `navigator.sendBeacon`.");

/** Of appends that say all else in their body. */
export const tokenQuery = z.strictObject({ token });

const producerIdLengthMax = 256;

export const producerHeaders = z.object({
  "Producer-Id": z
    .string()
    .regex(/^[\x21-\x7e]+$/, "printable ASCII without spaces")
    .max(producerIdLengthMax)
    .optional()
    .describe("Names the producer in this topic. All three or none."),
  "Producer-Epoch": integer({ min: 0, max: 2 ** 31 - 1 })
    .optional()
    .describe("Raised by a new incarnation of the producer; the older one is then refused."),
  "Producer-Seq": integer({ min: 0, max: 2 ** 53 - 1 })
    .optional()
    .describe("0, 1, 2 … by request; a repeat is not appended and gets the first answer."),
});

export const valueQuery = z.strictObject({
  token,
  key: z.string().optional().describe("The key of each record, as text."),
  partition: integer({ min: 0, max: 2 ** 31 - 1 })
    .optional()
    .describe("Default: the key's, else where keyless records go."),
  body: z
    .enum(["lines", "json"])
    .default("lines")
    .describe("Of `text/plain`. `json`: it is what `application/json` would be."),
  ...producerHeaders.shape,
});

export const listTopicsQuery = z.strictObject({
  internal: z
    .enum(["true", "false"])
    .default("false")
    .describe("`true` lists the server's own topics too, such as checkpoints."),
});

export const emptyQuery = z.strictObject({});

export type ReadQuery = z.infer<typeof readQuery>;

/** Decimal digits that name an integer in bounds. */
function integer({ min, max }: { readonly min: number; readonly max: number }) {
  return z
    .string()
    .regex(/^\d{1,16}$/, `an integer from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.int().min(min).max(max));
}

/** The meaning of an `offset` parameter that its shape has accepted. */
export function parseOffsetText(text: string): OffsetText {
  if (text === "earliest" || text === "latest") return text;
  if (text.startsWith("timestamp:")) return { timestamp: Number(text.slice(10)) };
  return { offset: Number(text) };
}
