import { errorOfProblem, MillraceError } from "./millrace-error.js";
const path = "/v1/sql";
/**
 * Runs `text`, a statement or several; resolves with a result for each, or, of one SELECT, see
 * `rows`. Asks once: what a statement did when no answer came is not known.
 * @throws MillraceError with `line`, `column` and `diagnostic` in `details` for wrong SQL.
 */
export async function sql(connection, text, options = {}) {
    const answer = await ask(connection, text, "application/json", options);
    const { parse = JSON.parse, signal } = options;
    const body = await textOf(answer, signal);
    const { results, error } = parse(body);
    if (error !== undefined)
        throw errorOfProblem(error);
    return results;
}
/** The rows of the last statement that gives any, all at once. */
export async function rowsOf(connection, text, options = {}) {
    const results = await sql(connection, text, options);
    const last = results.findLast((result) => "rows" in result);
    return last !== undefined && "rows" in last ? last.rows : [];
}
/**
 * The rows of the last statement that gives any, as they come; leaving the loop ends the query.
 * @throws MillraceError also after rows: those given are then not all.
 */
export async function* rows(connection, text, options = {}) {
    const { parse = JSON.parse, signal } = options;
    const type = "application/vnd.millrace.sql-lines";
    const answer = await ask(connection, text, type, options);
    for await (const line of readLines(answer, signal)) {
        if (line === "")
            continue;
        const found = parse(line);
        if (found.row !== undefined)
            yield found.row;
        else if (found.error !== undefined)
            throw errorOfProblem(found.error);
        else if (found.end === true)
            return;
    }
    throw new MillraceError("network", "The answer broke off: the rows before are not all", {
        retriable: true,
    });
}
/** Sends a script; resolves when its answer begins. */
export async function ask(connection, text, accept, { settings, signal }) {
    return await connection.request(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: accept },
        body: JSON.stringify({ sql: text, settings }),
        signal,
    });
}
async function textOf(answer, signal) {
    try {
        return await answer.text();
    }
    catch (error) {
        signal?.throwIfAborted();
        throw new MillraceError("network", "The answer broke off", { retriable: true, cause: error });
    }
}
async function* readLines(answer, signal) {
    const reader = answer.body?.getReader();
    const utf8 = new TextDecoder();
    let rest = "";
    try {
        for (;;) {
            const chunk = await reader?.read();
            if (chunk?.value === undefined)
                return;
            const lines = (rest + utf8.decode(chunk.value, { stream: true })).split("\n");
            rest = lines.pop() ?? "";
            yield* lines;
        }
    }
    catch (error) {
        signal?.throwIfAborted();
        throw error;
    }
    finally {
        await reader?.cancel().catch(() => undefined);
    }
}
