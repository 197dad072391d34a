/**
 * SQL: `sql` for answers that are small, `rows` for those that are not. An entry of its own with
 * `view` and `liveRows` (live-view.ts): `millrace/client/sql`.
 */
import type { ServerLink } from "./connection.ts";
export interface SqlOptions {
    /** What `SET` would set, by key. */
    readonly settings?: Readonly<Record<string, string>>;
    /** Ends the statement. */
    readonly signal?: AbortSignal;
    /** Reads the answer's JSON, for numbers beyond 2^53; default: `JSON.parse`. */
    readonly parse?: (text: string) => unknown;
}
export interface SqlColumn {
    readonly name: string;
    /** As SQL writes it: `DECIMAL(10, 2)`. */
    readonly type: string;
}
/** Of one statement: rows, or what it did. */
export type SqlResult<Row> = {
    readonly columns: readonly SqlColumn[];
    readonly rows: readonly Row[];
} | {
    readonly message: string;
};
/** Any row, by column name. */
export type SqlRow = Record<string, unknown>;
/**
 * Runs `text`, a statement or several; resolves with a result for each, or, of one SELECT, see
 * `rows`. Asks once: what a statement did when no answer came is not known.
 * @throws MillraceError with `line`, `column` and `diagnostic` in `details` for wrong SQL.
 */
export declare function sql<Row = SqlRow>(connection: ServerLink, text: string, options?: SqlOptions): Promise<readonly SqlResult<Row>[]>;
/** The rows of the last statement that gives any, all at once. */
export declare function rowsOf<Row = SqlRow>(connection: ServerLink, text: string, options?: SqlOptions): Promise<readonly Row[]>;
/**
 * The rows of the last statement that gives any, as they come; leaving the loop ends the query.
 * @throws MillraceError also after rows: those given are then not all.
 */
export declare function rows<Row = SqlRow>(connection: ServerLink, text: string, options?: SqlOptions): AsyncGenerator<Row, void>;
/** Sends a script; resolves when its answer begins. */
export declare function ask(connection: ServerLink, text: string, accept: string, { settings, signal }: Pick<SqlOptions, "settings" | "signal">): Promise<Response>;
