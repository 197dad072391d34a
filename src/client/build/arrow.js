import { MillraceError } from "./millrace-error.js";
import { ask } from "./sql.js";
const arrowStream = "application/vnd.apache.arrow.stream";
/** What ends an Arrow stream: a continuation mark and a length of nothing. */
const endMark = [255, 255, 255, 255, 0, 0, 0, 0];
/**
 * The rows of one SELECT as a table.
 * @throws MillraceError; `network` also for an answer that broke off, which Arrow does not notice.
 */
export async function arrowTable(connection, sql, arrow, options = {}) {
    const answer = await ask(connection, sql, arrowStream, options);
    let bytes;
    try {
        bytes = new Uint8Array(await answer.arrayBuffer());
    }
    catch (error) {
        options.signal?.throwIfAborted();
        throw new MillraceError("network", "The answer broke off", { retriable: true, cause: error });
    }
    const tail = bytes.subarray(-endMark.length);
    if (endMark.some((byte, index) => tail[index] !== byte)) {
        throw new MillraceError("network", "The answer broke off: the rows are not all", {
            retriable: true,
        });
    }
    return arrow.tableFromIPC(bytes);
}
/** The rows of one SELECT batch by batch, as they come. */
export async function* arrowBatches(connection, sql, arrow, options = {}) {
    const { body } = await ask(connection, sql, arrowStream, options);
    if (body !== null)
        yield* await arrow.RecordBatchReader.from(body);
}
