/**
 * Answers as Arrow, decoded by the page's own apache-arrow, which is handed in: the client brings
 * none, and does not mind its version. An entry of its own: `millrace/client/arrow`.
 *
 *     import * as arrow from "apache-arrow";
 *     const table = await arrowTable(connection, "SELECT * FROM totals", arrow);
 */
import type { ServerLink } from "./connection.ts";
import { type ConsumeFrom } from "./consumed-record.ts";
import { type SqlOptions } from "./sql.ts";
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
export type ArrowOptions = Pick<SqlOptions, "settings" | "signal">;
/**
 * The rows of one SELECT as a table.
 * @throws MillraceError; `network` also for an answer that broke off, which Arrow does not notice.
 */
export declare function arrowTable<Table>(connection: ServerLink, sql: string, arrow: ArrowModule<Table>, options?: ArrowOptions): Promise<Awaited<Table>>;
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
export declare function arrowRecords<Table>(connection: ServerLink, topic: string, arrow: ArrowModule<Table>, options?: ArrowReadOptions): Promise<ArrowRecords<Awaited<Table>>>;
/** The rows of one SELECT batch by batch, as they come. */
export declare function arrowBatches<ArrowBatch>(connection: ServerLink, sql: string, arrow: ArrowReaderModule<ArrowBatch>, options?: ArrowOptions): AsyncGenerator<ArrowBatch, void>;
