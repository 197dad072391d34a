/**
 * A view that is followed: its rows, then every change of them, over as many connections as it
 * takes. After a break it goes on behind the last change; where that cannot be, `reset` says that
 * the rows come anew.
 */
import type { ServerLink } from "./connection.ts";
import { MillraceError } from "./millrace-error.ts";
import type { SqlRow } from "./sql.ts";
export type Change<Row> = {
    /** `snapshot`: a row at the beginning. `update`: as it is now. `delete`: as it was. */
    readonly change: "snapshot" | "insert" | "update" | "delete";
    readonly row: Row;
    /** Given to `view` later, here or elsewhere, it goes on right behind; null: it cannot. */
    readonly cursor: string | null;
} | {
    /** Forget the rows: all that there are come again. */
    readonly change: "reset";
};
export interface ViewOptions {
    /** Of a change that was seen before. */
    readonly cursor?: string;
    /** Ends the iteration, without an error. */
    readonly signal?: AbortSignal;
    /** Reads JSON, for numbers beyond 2^53; default: `JSON.parse`. */
    readonly parse?: (text: string) => unknown;
    /** Events come, for the first time or again. */
    readonly onOpen?: () => void;
    /** The connection broke and will be made again. */
    readonly onTrouble?: (error: MillraceError) => void;
    /** Silence after which a connection counts as broken, in milliseconds. Default 40 000. */
    readonly silenceMs?: number;
}
/**
 * Follows `query`: a view's name, or a SELECT over it.
 * @throws MillraceError when it cannot go on: the SQL is wrong, the view is gone, 401, 403.
 */
export declare function view<Row = SqlRow>(connection: ServerLink, query: string, options?: ViewOptions): AsyncGenerator<Change<Row>, void>;
/**
 * The rows of `query` as they are now, by `keyOf`, after each change that comes. The map is the
 * same one each time: copy what is to be kept.
 */
export declare function liveRows<Row = SqlRow>(connection: ServerLink, query: string, options: Omit<ViewOptions, "cursor"> & {
    readonly keyOf: (row: Row) => unknown;
}): AsyncGenerator<ReadonlyMap<unknown, Row>, void>;
