/**
 * What a script gives, as the bytes of each media type. A format yields nothing, not even the
 * beginning of its document, before there is something to show: what fails until then is answered
 * as a problem, with its status. What fails later ends the document in a way that nobody takes for
 * its end: an `error` member or line; of Arrow, a stream that breaks off without its end mark.
 */

import { IpcStream } from "../../arrow/ipc-stream.ts";
import { joinedBytes } from "../../base/joined-bytes.ts";
import type { ChangeEvent, ResultColumn } from "../../pipeline/sql-result.ts";
import { showType } from "../../sql/types/show-type.ts";
import {
  arrowStreamMediaType,
  eventStreamMediaType,
  jsonMediaType,
  ndjsonMediaType,
  sqlLinesMediaType,
} from "../../wire/http/media-type.ts";
import type { Problem } from "../../wire/http/problem.ts";
import { arrowColumnOf } from "./sql-arrow.ts";
import type { SqlEvent } from "./sql-script.ts";

export interface SqlFormat {
  /** Which results are asked for: a document of rows alone has room for one statement's. */
  readonly wanted: "all" | "last";
  /** What shows that an answer without an end lives; null: the format has only whole answers. */
  readonly heartbeat: Uint8Array | null;
  /** The bytes for the next event; empty while there is nothing to show yet. */
  take(event: SqlEvent): Uint8Array;
  /** What ends a whole document. */
  end(): Uint8Array;
  /** What ends one that had begun; null: the connection is to be broken. */
  fail(problem: Problem): Uint8Array | null;
}

export const sqlFormats = {
  [jsonMediaType]: () => new JsonFormat(),
  [ndjsonMediaType]: () => new RowLinesFormat(),
  [sqlLinesMediaType]: () => new EventLinesFormat(),
  [arrowStreamMediaType]: () => new ArrowFormat(),
  [eventStreamMediaType]: () => new EventStreamFormat(),
} as const satisfies Readonly<Record<string, () => SqlFormat>>;

export type SqlMediaType = keyof typeof sqlFormats;

const encoder = new TextEncoder();
const nothing = new Uint8Array(0);
const comma = 0x2c;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const emptyLine = encoder.encode("\n");

/** `{"results":[{"message":…},{"columns":[…],"rows":[…]}]}` */
class JsonFormat implements SqlFormat {
  readonly wanted = "all";
  readonly heartbeat = null;
  /** What is to be written before the next rows. */
  #held = '{"results":[';
  #hasResults = false;
  #isInRows = false;
  #hasRows = false;

  take(event: SqlEvent): Uint8Array {
    if (event.kind === "rows") return this.#rows(event.rows);
    if (event.kind === "change") return nothing;
    this.#closeRows();
    if (this.#hasResults) this.#held += ",";
    this.#hasResults = true;
    if (event.kind === "message") {
      this.#held += JSON.stringify({ message: event.message });
    } else {
      this.#held += `{"columns":${JSON.stringify(shownColumns(event.columns))},"rows":[`;
      this.#isInRows = true;
      this.#hasRows = false;
    }
    return nothing;
  }

  end(): Uint8Array {
    this.#closeRows();
    return this.#flush("]}\n");
  }

  fail(problem: Problem): Uint8Array {
    this.#closeRows();
    return this.#flush(`],"error":${JSON.stringify(problem)}}\n`);
  }

  #rows(rows: readonly Uint8Array[]): Uint8Array {
    if (rows.length === 0) return nothing;
    const head = encoder.encode(this.#held + (this.#hasRows ? "," : ""));
    this.#held = "";
    this.#hasRows = true;
    return joined(head, rows, comma, false);
  }

  #closeRows(): void {
    if (this.#isInRows) this.#held += "]}";
    this.#isInRows = false;
  }

  #flush(tail: string): Uint8Array {
    const text = this.#held + tail;
    this.#held = "";
    return encoder.encode(text);
  }
}

/** A row per line, or a change, nothing else. */
class RowLinesFormat implements SqlFormat {
  readonly wanted = "last";
  readonly heartbeat = emptyLine;

  take(event: SqlEvent): Uint8Array {
    if (event.kind === "message") return line({ message: event.message });
    if (event.kind === "change") return changeLine(event.change);
    return event.kind === "rows"
      ? joined(nothing, event.rows.map(oneLine), lineFeed, true)
      : nothing;
  }

  end(): Uint8Array {
    return nothing;
  }

  fail(problem: Problem): Uint8Array {
    return line({ error: problem });
  }
}

/** Everything, an object per line, as soon as it is known. */
class EventLinesFormat implements SqlFormat {
  readonly wanted = "all";
  readonly heartbeat = emptyLine;

  take(event: SqlEvent): Uint8Array {
    switch (event.kind) {
      case "message":
        return line({ message: event.message });
      case "columns":
        return line({ columns: shownColumns(event.columns) });
      case "change":
        return changeLine(event.change);
      case "rows": {
        const { rows, progress } = event;
        const tail = progress === null ? nothing : line({ progress });
        return joinedBytes([...rows.flatMap((row) => [rowBegins, oneLine(row), rowEnds]), tail]);
      }
    }
  }

  end(): Uint8Array {
    return line({ end: true });
  }

  fail(problem: Problem): Uint8Array {
    return line({ error: problem });
  }
}

const rowBegins = encoder.encode('{"row":');
const rowEnds = encoder.encode("}\n");

/**
 * Server-sent events: rows and changes as they come, each change with its cursor as id. Two named
 * events end the stream: `end`, behind which a client need not come again, and `problem`.
 */
class EventStreamFormat implements SqlFormat {
  readonly wanted = "last";
  readonly heartbeat = encoder.encode(":\n\n");

  take(event: SqlEvent): Uint8Array {
    switch (event.kind) {
      case "message":
        return eventText(JSON.stringify({ message: event.message }));
      case "columns":
        return encoder.encode(`retry: ${retryMs}\n\n`);
      case "rows":
        return joinedBytes(event.rows.map((row) => eventText(utf8.decode(oneLine(row)))));
      case "change": {
        const { kind, cursor, row } = event.change;
        const id = cursor === null ? "" : `id: ${cursor}\n`;
        const data = `{"change":"${kind}","row":${utf8.decode(oneLine(row))}}`;
        return encoder.encode(`${id}data: ${data}\n\n`);
      }
    }
  }

  end(): Uint8Array {
    return encoder.encode("event: end\ndata: {}\n\n");
  }

  fail(problem: Problem): Uint8Array {
    return encoder.encode(`event: problem\ndata: ${JSON.stringify(problem)}\n\n`);
  }
}

const utf8 = new TextDecoder();
/** What a client waits before it comes again. */
const retryMs = 1_000;

function eventText(data: string): Uint8Array {
  return encoder.encode(`data: ${data}\n\n`);
}

/** An Arrow IPC stream of the rows; of a script that gives none, of its messages. */
class ArrowFormat implements SqlFormat {
  readonly wanted = "last";
  readonly heartbeat = null;
  #stream: IpcStream | undefined;
  #hasBegun = false;

  take(event: SqlEvent): Uint8Array {
    switch (event.kind) {
      case "columns":
        this.#stream = new IpcStream(event.columns.map(arrowColumnOf));
        return nothing;
      case "message":
        this.#stream ??= new IpcStream([{ name: "message", type: { kind: "text" } }]);
        return this.#batch([encoder.encode(JSON.stringify({ message: event.message }))]);
      case "rows":
        return event.rows.length === 0 ? nothing : this.#batch(event.rows);
      case "change":
        return nothing;
    }
  }

  end(): Uint8Array {
    const stream = this.#begun();
    return joinedBytes([this.#headOnce(stream), stream.end()]);
  }

  fail(): null {
    return null;
  }

  #batch(rows: readonly Uint8Array[]): Uint8Array {
    const stream = this.#begun();
    return joinedBytes([this.#headOnce(stream), stream.batch(rows)]);
  }

  #begun(): IpcStream {
    this.#stream ??= new IpcStream([]);
    return this.#stream;
  }

  #headOnce(stream: IpcStream): Uint8Array {
    if (this.#hasBegun) return nothing;
    this.#hasBegun = true;
    return stream.head();
  }
}

function shownColumns(columns: readonly ResultColumn[]) {
  return columns.map(({ name, type }) => ({ name, type: showType(type) }));
}

function changeLine({ kind, cursor, row }: ChangeEvent): Uint8Array {
  const head = `{"change":"${kind}","cursor":${JSON.stringify(cursor)},"row":`;
  return joinedBytes([encoder.encode(head), oneLine(row), rowEnds]);
}

/** A line break within a JSON text, which a column of JSON may bring along, is space. */
function oneLine(row: Uint8Array): Uint8Array {
  if (!row.includes(lineFeed) && !row.includes(carriageReturn)) return row;
  return row.map((byte) => (byte === lineFeed || byte === carriageReturn ? space : byte));
}

function line(value: unknown): Uint8Array {
  return encoder.encode(`${JSON.stringify(value)}\n`);
}

/** `head`, then `parts` with `separator` between them, and behind the last one too if `closes`. */
function joined(
  head: Uint8Array,
  parts: readonly Uint8Array[],
  separator: number,
  closes: boolean,
): Uint8Array {
  const bytes = parts.reduce((sum, part) => sum + part.length + 1, head.length);
  const whole = new Uint8Array(bytes);
  whole.set(head);
  let position = head.length;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
    whole[position++] = separator;
  }
  return closes || parts.length === 0 ? whole : whole.subarray(0, -1);
}
