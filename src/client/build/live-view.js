import { follow } from "./follow.js";
import { MillraceError } from "./millrace-error.js";
/** What the server answers to a cursor that leads nowhere any more. */
const lostCursorStatus = new Set([410, 416]);
/**
 * Follows `query`: a view's name, or a SELECT over it.
 * @throws MillraceError when it cannot go on: the SQL is wrong, the view is gone, 401, 403.
 */
export async function* view(connection, query, options = {}) {
    for await (const changes of changeBatches(connection, query, options))
        yield* changes;
}
/**
 * The rows of `query` as they are now, by `keyOf`, after each change that comes. The map is the
 * same one each time: copy what is to be kept.
 */
export async function* liveRows(connection, query, options) {
    const rows = new Map();
    for await (const changes of changeBatches(connection, query, options)) {
        for (const each of changes) {
            if (each.change === "reset")
                rows.clear();
            else if (each.change === "delete")
                rows.delete(options.keyOf(each.row));
            else
                rows.set(options.keyOf(each.row), each.row);
        }
        yield rows;
    }
}
/** Changes by the chunk in which they came. */
async function* changeBatches(connection, query, options) {
    const sql = liveQuery(query);
    let cursor = options.cursor ?? null;
    let hasRows = false;
    for (;;) {
        let isLost = false;
        const batches = follow(connection, {
            ...options,
            request: () => ({
                path: "/v1/sql",
                method: "POST",
                headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
                body: JSON.stringify({ sql, ...(cursor !== null && { cursor }) }),
            }),
            onTrouble(error) {
                options.onTrouble?.(error);
                // Without a cursor the next connection begins anew, and that has to be said first.
                isLost = cursor === null && hasRows;
                return isLost;
            },
        });
        try {
            for await (const events of batches) {
                const changes = events.flatMap((event) => changeOf(event, options.parse));
                const last = changes.at(-1);
                if (last === undefined || last.change === "reset")
                    continue;
                cursor = last.cursor;
                hasRows = true;
                yield changes;
            }
            if (!isLost || options.signal?.aborted === true)
                return;
        }
        catch (error) {
            const isCursor = error instanceof MillraceError && lostCursorStatus.has(error.status);
            if (!isCursor || cursor === null)
                throw error;
        }
        cursor = null;
        hasRows = false;
        yield [{ change: "reset" }];
    }
}
function changeOf({ name, data, id }, parse = JSON.parse) {
    if (name !== "message" || data === null)
        return [];
    const { change, row } = parse(data);
    // A SELECT without changes gives bare rows; only EMIT CHANGES was asked for.
    if (change === undefined || row === undefined)
        return [];
    return [{ change, row, cursor: id }];
}
function liveQuery(query) {
    const text = query.trim().replace(/;$/, "");
    const select = /^[\w.$]+$/.test(text) ? `SELECT * FROM ${text}` : text;
    return /\bEMIT\s+CHANGES$/i.test(select) ? select : `${select} EMIT CHANGES`;
}
