/**
 * Answers as Arrow, decoded by the page's own apache-arrow, which is handed in: the client brings
 * none, and does not mind its version. An entry of its own: `millrace/client/arrow`.
 *
 *     import * as arrow from "apache-arrow";
 *     const table = await arrowTable(connection, "SELECT * FROM totals", arrow);
 */
import type { ServerLink } from "./connection.ts";
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
export declare function arrowTable<Table>(connection: ServerLink, sql: string, arrow: ArrowModule<Table>, options?: ArrowOptions): Promise<Table>;
/** The rows of one SELECT batch by batch, as they come. */
export declare function arrowBatches<ArrowBatch>(connection: ServerLink, sql: string, arrow: ArrowReaderModule<ArrowBatch>, options?: ArrowOptions): AsyncGenerator<ArrowBatch, void>;
