/**
 * Answers as Arrow, decoded by the page's own apache-arrow, which is handed in: the client brings
 * none, and does not mind its version. An entry of its own: `millrace/client/arrow`.
 *
 *     import * as arrow from "apache-arrow";
 *     const table = await arrowTable(connection, "SELECT * FROM totals", arrow);
 */
import type { ServerLink } from "./connection.ts";
import { type ConsumeFrom, offsetText } from "./consumed-record.ts";
import { MillraceError } from "./millrace-error.ts";
import { ask, type SqlOptions } from "./sql.ts";

/** The part of apache-arrow that is used here. */
export interface ArrowModule<Table> {
  tableFromIPC(bytes: Uint8Array): Table;
}

/** The part that is used for answers that do not fit into memory. */
export interface ArrowReaderModule<ArrowBatch> {
  readonly RecordBatchReader: {
    from(source: ReadableStream<Uint8Array>): PromiseLike<AsyncIterable<ArrowBatch>>;
  };
}

const arrowStream = "application/vnd.apache.arrow.stream";
/** What ends an Arrow stream: a continuation mark and a length of nothing. */
const endMark = [255, 255, 255, 255, 0, 0, 0, 0];

export type ArrowOptions = Pick<SqlOptions, "settings" | "signal">;

/**
 * The rows of one SELECT as a table.
 * @throws MillraceError; `network` also for an answer that broke off, which Arrow does not notice.
 */
export async function arrowTable<Table>(
  connection: ServerLink,
  sql: string,
  arrow: ArrowModule<Table>,
  options: ArrowOptions = {},
): Promise<Awaited<Table>> {
  const answer = await ask(connection, sql, arrowStream, options);
  return await arrow.tableFromIPC(await wholeOf(answer, options.signal));
}

/** The bytes of an answer that has its end. */
async function wholeOf(answer: Response, signal: AbortSignal | undefined): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    signal?.throwIfAborted();
    throw new MillraceError("network", "The answer broke off", { retriable: true, cause: error });
  }
  const tail = bytes.subarray(-endMark.length);
  if (endMark.some((byte, index) => tail[index] !== byte)) {
    throw new MillraceError("network", "The answer broke off: the rows are not all", {
      retriable: true,
    });
  }
  return bytes;
}

/** Records of a topic, and where the next ones begin. */
export interface ArrowRecords<Table> {
  /** Columns `partition`, `offset`, `timestamp`, `key`, `value` and more: docs/HTTP.md. */
  readonly table: Table;
  readonly cursor: string;
}

export interface ArrowReadOptions {
  /** Where to begin. Default `earliest`. */
  readonly from?: ConsumeFrom;
  /** Of an answer before, or of a record that `consume` gave. */
  readonly cursor?: string;
  /** How long to wait for records, in milliseconds. Default 0. */
  readonly waitMs?: number;
  readonly maxRecords?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** Records of all partitions of a topic as a table, from a place on. */
export async function arrowRecords<Table>(
  connection: ServerLink,
  topic: string,
  arrow: ArrowModule<Table>,
  options: ArrowReadOptions = {},
): Promise<ArrowRecords<Awaited<Table>>> {
  const { from = "earliest", signal, ...limits } = options;
  const query = new URLSearchParams({ offset: offsetText(from) });
  for (const [name, value] of Object.entries(limits)) query.set(name, String(value));
  const path = `/v1/topics/${encodeURIComponent(topic)}/records?${query}`;
  const answer = await connection.request(path, { headers: { Accept: arrowStream }, signal });
  const cursor = answer.headers.get("Millrace-Cursor") ?? "";
  return { table: await arrow.tableFromIPC(await wholeOf(answer, signal)), cursor };
}

/** The rows of one SELECT batch by batch, as they come. */
export async function* arrowBatches<ArrowBatch>(
  connection: ServerLink,
  sql: string,
  arrow: ArrowReaderModule<ArrowBatch>,
  options: ArrowOptions = {},
): AsyncGenerator<ArrowBatch, void> {
  const { body } = await ask(connection, sql, arrowStream, options);
  if (body !== null) yield* await arrow.RecordBatchReader.from(body);
}
