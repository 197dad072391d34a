import { offsetText } from "./consumed-record.js";
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
    return await arrow.tableFromIPC(await wholeOf(answer, options.signal));
}
/** The bytes of an answer that has its end. */
async function wholeOf(answer, signal) {
    let bytes;
    try {
        bytes = new Uint8Array(await answer.arrayBuffer());
    }
    catch (error) {
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
/** Records of all partitions of a topic as a table, from a place on. */
export async function arrowRecords(connection, topic, arrow, options = {}) {
    const { from = "earliest", signal, ...limits } = options;
    const query = new URLSearchParams({ offset: offsetText(from) });
    for (const [name, value] of Object.entries(limits))
        query.set(name, String(value));
    const path = `/v1/topics/${encodeURIComponent(topic)}/records?${query}`;
    const answer = await connection.request(path, { headers: { Accept: arrowStream }, signal });
    const cursor = answer.headers.get("Millrace-Cursor") ?? "";
    return { table: await arrow.tableFromIPC(await wholeOf(answer, signal)), cursor };
}
/** The rows of one SELECT batch by batch, as they come. */
export async function* arrowBatches(connection, sql, arrow, options = {}) {
    const { body } = await ask(connection, sql, arrowStream, options);
    if (body !== null)
        yield* await arrow.RecordBatchReader.from(body);
}
