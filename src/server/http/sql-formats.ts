/**
 * What a script gives, as the bytes of each media type. A format yields nothing, not even the
 * beginning of its document, before there is something to show: what fails until then is answered
 * as a problem, with its status. What fails later ends the document in a way that nobody takes for
 * its end: an `error` member or line; of Arrow, a stream that breaks off without its end mark.
 */
import { IpcStream } from "../../arrow/ipc-stream.ts";
import { StreamError } from "../../base/stream-error.ts";
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
  [eventStreamMediaType]: () => new EventStreamFormat(),
  [arrowStreamMediaType]: () => new ArrowFormat(),
} as const satisfies Readonly<Record<string, () => SqlFormat>>;

export type SqlMediaType = keyof typeof sqlFormats;

const encoder = new TextEncoder();
const nothing = new Uint8Array(0);
const comma = 0x2c;
const lineFeed = 0x0a;

/** `{"results":[{"message":…},{"columns":[…],"rows":[…]}]}` */
class JsonFormat implements SqlFormat {
  readonly wanted = "all";
  /** What is to be written before the next rows. */
  #held = '{"results":[';
  #hasResults = false;
  #isInRows = false;
  #hasRows = false;

  take(event: SqlEvent): Uint8Array {
    if (event.kind === "rows") return this.#rows(event.rows);
    if (event.kind === "change") throw endless();
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
    return this.#flush("]}");
  }

  fail(problem: Problem): Uint8Array {
    this.#closeRows();
    return this.#flush(`],"error":${JSON.stringify(problem)}}`);
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

/** A row per line, nothing else. */
class RowLinesFormat implements SqlFormat {
  readonly wanted = "last";

  take(event: SqlEvent): Uint8Array {
    if (event.kind === "message") return line({ message: event.message });
    if (event.kind === "change") return changeLine(event.change);
    return event.kind === "rows" ? joined(nothing, event.rows, lineFeed, true) : nothing;
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

  take(event: SqlEvent): Uint8Array {
    switch (event.kind) {
      case "message":
        return line({ message: event.message });
      case "columns":
        return line({
          columns: [...(event.areChanges ? [opColumn] : []), ...shownColumns(event.columns)],
        });
      case "change":
        return opLine(event.change);
      case "rows": {
        const { rows, progress } = event;
        const tail = progress === null ? nothing : line({ progress });
        return concat([...rows.flatMap((row) => [rowBegins, row, rowEnds]), tail]);
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

/** Server-sent events: a change each, its cursor as the id that `Last-Event-ID` resumes from. */
class EventStreamFormat implements SqlFormat {
  readonly wanted = "last";

  take(event: SqlEvent): Uint8Array {
    switch (event.kind) {
      case "message":
        return encoder.encode(
          `event: message\ndata: ${JSON.stringify({ message: event.message })}\n\n`,
        );
      case "columns":
        // Something to read at once: the client knows that it is connected.
        return encoder.encode("retry: 1000\n\n");
      case "rows":
        return concat(event.rows.flatMap((row) => [snapshotBegins, row, eventEnds]));
      case "change": {
        const { kind, row, cursor } = event.change;
        const id = cursor === null ? "" : `id: ${cursor}\n`;
        return concat([encoder.encode(`${id}event: ${kind}\ndata: `), row, eventEnds]);
      }
    }
  }

  end(): Uint8Array {
    return encoder.encode("event: end\ndata: {}\n\n");
  }

  fail(problem: Problem): Uint8Array {
    return encoder.encode(`event: error\ndata: ${JSON.stringify(problem)}\n\n`);
  }
}

const snapshotBegins = encoder.encode("event: snapshot\ndata: ");
const eventEnds = encoder.encode("\n\n");

/** Changes as rows with a column more, for people: Flink's signs. */
const opColumn = { name: "op", type: "STRING" };
const ops = { snapshot: "+I", insert: "+I", update: "+U", delete: "-D" } as const;

function opLine({ kind, row }: ChangeEvent): Uint8Array {
  return concat([encoder.encode(`{"row":{"op":"${ops[kind]}",`), row.subarray(1), rowEnds]);
}

/** `{"op":"insert","row":{…},"cursor":"…"}` */
function changeLine({ kind, row, cursor }: ChangeEvent): Uint8Array {
  const head = encoder.encode(`{"op":"${kind}","row":`);
  return concat([head, row, encoder.encode(`,"cursor":${JSON.stringify(cursor)}}\n`)]);
}

function endless(): StreamError {
  return new StreamError(
    "sql_unsupported",
    "EMIT CHANGES has no end: ask for application/x-ndjson or text/event-stream with Accept",
  );
}

const rowBegins = encoder.encode('{"row":');
const rowEnds = encoder.encode("}\n");

/** An Arrow IPC stream of the rows; of a script that gives none, of its messages. */
class ArrowFormat implements SqlFormat {
  readonly wanted = "last";
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
        throw endless();
    }
  }

  end(): Uint8Array {
    const stream = this.#begun();
    return concat([this.#headOnce(stream), stream.end()]);
  }

  fail(): null {
    return null;
  }

  #batch(rows: readonly Uint8Array[]): Uint8Array {
    const stream = this.#begun();
    return concat([this.#headOnce(stream), stream.batch(rows)]);
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

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}
