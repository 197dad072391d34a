/** Runs SQL on a worker and reads what it gives line by line, each row as the bytes that came. */
import * as z from "zod";
import { sqlLinesMediaType } from "../../wire/http/media-type.ts";
import { sqlProgress } from "../../wire/http/sql-shapes.ts";
import { type ApiClient, commandError, problemSchema } from "../api-client.ts";
import { CommandError } from "../command.ts";
import { type Line, LineReader } from "../line-reader.ts";

export interface SqlColumn {
  readonly name: string;
  readonly type: string;
}

export interface SqlChange {
  readonly change: string;
  /** JSON text, an object by column name. */
  readonly row: Uint8Array;
}

export type SqlProgress = z.infer<typeof sqlProgress>;

/** What is shown of a script, in the order in which it happens. */
export interface SqlPrinter {
  message(text: string): Promise<void>;
  /** Rows of these columns follow. */
  columns(columns: readonly SqlColumn[]): Promise<void>;
  /** JSON texts, each an object by column name. */
  rows(rows: readonly Uint8Array[]): Promise<void>;
  /** What became of rows: EMIT CHANGES. */
  changes(changes: readonly SqlChange[]): Promise<void>;
  progress(progress: SqlProgress): Promise<void>;
  /** Nothing has come for a moment: what was held back is to be shown. */
  idle(): Promise<void>;
  /** The script is over; or it broke off, and rows that were shown are not all. */
  end(outcome: { readonly isWhole: boolean }): Promise<void>;
}

export interface SqlCall {
  readonly api: ApiClient;
  readonly sql: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly printer: SqlPrinter;
  readonly signal: AbortSignal;
}

const lineSchema = z.union([
  z.object({ message: z.string() }),
  z.object({ columns: z.array(z.object({ name: z.string(), type: z.string() })) }),
  z.object({ progress: sqlProgress }),
  z.object({ error: problemSchema }),
  z.object({ end: z.literal(true) }),
]);

const takeLimit = { lines: 2_000, bytes: 1024 * 1024 };
/** Rows are held back for so long, to find how wide their columns are. */
const idleMs = 250;

const encoder = new TextEncoder();
const rowBegins = encoder.encode('{"row":');
const changeBegins = encoder.encode('{"change":"');
const utf8 = new TextDecoder();

/** @throws CommandError where the server refuses or fails; the reason of `signal`. */
export async function runSql({ api, sql, settings, printer, signal }: SqlCall): Promise<void> {
  const headers = { accept: sqlLinesMediaType };
  const response = await api.send("POST", "/v1/sql", { json: { sql, settings }, headers, signal });
  let isWhole = false;
  try {
    isWhole = await print(new LineReader(chunksOf(response)), printer);
    if (!isWhole) throw brokenOff();
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof CommandError ? error : brokenOff(error);
  } finally {
    await printer.end({ isWhole });
  }
}

function brokenOff(cause?: unknown): CommandError {
  const reason = cause instanceof Error ? `: ${cause.message}` : "";
  return new CommandError("unreachable", `The answer was broken off${reason}`);
}

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array, void> {
  if (response.body !== null) yield* response.body as unknown as AsyncIterable<Uint8Array>;
}

/** Shows all lines; false when they end without saying that they do. */
async function print(reader: LineReader, printer: SqlPrinter): Promise<boolean> {
  for (;;) {
    const taking = reader.take(takeLimit);
    const lines = await takenOrIdle(taking, printer);
    if (lines === undefined) return false;
    if (await printLines(lines, printer)) return true;
  }
}

async function takenOrIdle(
  taking: Promise<readonly Line[] | undefined>,
  printer: SqlPrinter,
): Promise<readonly Line[] | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<"idle">((resolve) => {
    timer = setTimeout(() => resolve("idle"), idleMs);
  });
  const first = await Promise.race([taking, silence]);
  clearTimeout(timer);
  if (first !== "idle") return first;
  await printer.idle();
  return taking;
}

/** True behind the last line. */
async function printLines(lines: readonly Line[], printer: SqlPrinter): Promise<boolean> {
  let rows: Uint8Array[] = [];
  let changes: SqlChange[] = [];
  const flush = async () => {
    if (rows.length > 0) await printer.rows(rows);
    if (changes.length > 0) await printer.changes(changes);
    rows = [];
    changes = [];
  };
  for (const { bytes } of lines) {
    if (begins(bytes, rowBegins)) rows.push(bytes.subarray(rowBegins.length, -1));
    else if (begins(bytes, changeBegins)) changes.push(changeOf(bytes));
    else if (bytes.length > 0) {
      await flush();
      if (await printOther(bytes, printer)) return true;
    }
  }
  await flush();
  return false;
}

function begins(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}

/** `{"change":"insert","cursor":"…","row":{…}}`: neither kind nor cursor has quotes within. */
function changeOf(bytes: Uint8Array): SqlChange {
  const quote = bytes.indexOf(0x22, changeBegins.length);
  const change = utf8.decode(bytes.subarray(changeBegins.length, quote));
  const brace = bytes.indexOf(0x7b, quote);
  return { change, row: bytes.subarray(brace, -1) };
}

async function printOther(bytes: Uint8Array, printer: SqlPrinter): Promise<boolean> {
  const line = lineSchema.parse(JSON.parse(utf8.decode(bytes)));
  if ("error" in line) throw commandError(line.error);
  if ("message" in line) await printer.message(line.message);
  else if ("columns" in line) await printer.columns(line.columns);
  else if ("progress" in line) await printer.progress(line.progress);
  return "end" in line;
}
