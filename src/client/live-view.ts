/**
 * A view that is followed: its rows, then every change of them, over as many connections as it
 * takes. After a break it goes on behind the last change; where that cannot be, `reset` says that
 * the rows come anew.
 */
import type { ServerLink } from "./connection.ts";
import type { ServerEvent } from "./event-stream.ts";
import { follow } from "./follow.ts";
import { MillraceError } from "./millrace-error.ts";
import type { SqlRow } from "./sql.ts";

export type Change<Row> =
  | {
      /** `snapshot`: a row at the beginning. `update`: as it is now. `delete`: as it was. */
      readonly change: "snapshot" | "insert" | "update" | "delete";
      readonly row: Row;
      /** Given to `view` later, here or elsewhere, it goes on right behind; null: it cannot. */
      readonly cursor: string | null;
    }
  | {
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

/** What the server answers to a cursor that leads nowhere any more. */
const lostCursorStatus = new Set([410, 416]);

/**
 * Follows `query`: a view's name, or a SELECT over it.
 * @throws MillraceError when it cannot go on: the SQL is wrong, the view is gone, 401, 403.
 */
export async function* view<Row = SqlRow>(
  connection: ServerLink,
  query: string,
  options: ViewOptions = {},
): AsyncGenerator<Change<Row>, void> {
  for await (const changes of changeBatches<Row>(connection, query, options)) yield* changes;
}

/**
 * The rows of `query` as they are now, by `keyOf`, after each change that comes. The map is the
 * same one each time: copy what is to be kept.
 */
export async function* liveRows<Row = SqlRow>(
  connection: ServerLink,
  query: string,
  options: Omit<ViewOptions, "cursor"> & { readonly keyOf: (row: Row) => unknown },
): AsyncGenerator<ReadonlyMap<unknown, Row>, void> {
  const rows = new Map<unknown, Row>();
  for await (const changes of changeBatches<Row>(connection, query, options)) {
    for (const each of changes) {
      if (each.change === "reset") rows.clear();
      else if (each.change === "delete") rows.delete(options.keyOf(each.row));
      else rows.set(options.keyOf(each.row), each.row);
    }
    yield rows;
  }
}

/** Changes by the chunk in which they came. */
async function* changeBatches<Row>(
  connection: ServerLink,
  query: string,
  options: ViewOptions,
): AsyncGenerator<readonly Change<Row>[], void> {
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
        const changes = events.flatMap((event) => changeOf<Row>(event, options.parse));
        const last = changes.at(-1);
        if (last === undefined || last.change === "reset") continue;
        cursor = last.cursor;
        hasRows = true;
        yield changes;
      }
      if (!isLost || options.signal?.aborted === true) return;
    } catch (error) {
      const isCursor = error instanceof MillraceError && lostCursorStatus.has(error.status);
      if (!isCursor || cursor === null) throw error;
    }
    cursor = null;
    hasRows = false;
    yield [{ change: "reset" }];
  }
}

function changeOf<Row>(
  { name, data, id }: ServerEvent,
  parse: (text: string) => unknown = JSON.parse,
): Change<Row>[] {
  if (name !== "message" || data === null) return [];
  const { change, row } = parse(data) as { change?: "insert"; row?: Row };
  // A SELECT without changes gives bare rows; only EMIT CHANGES was asked for.
  if (change === undefined || row === undefined) return [];
  return [{ change, row, cursor: id }];
}

function liveQuery(query: string): string {
  const text = query.trim().replace(/;$/, "");
  const select = /^[\w.$]+$/.test(text) ? `SELECT * FROM ${text}` : text;
  return /\bEMIT\s+CHANGES$/i.test(select) ? select : `${select} EMIT CHANGES`;
}
