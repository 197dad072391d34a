/**
 * What SQL gives, in the formats of `streamctl sql`. Rows go to standard output in all of them, and
 * are never parsed into numbers on the way: BIGINT and DECIMAL keep their digits. What is no row
 * (messages, progress) goes to standard error, but for messages among tables.
 */
import { cellsOf, type JsonCell } from "../../arrow/json-cells.ts";
import type { CliIo } from "../io.ts";
import { styled } from "../io.ts";
import { counted } from "../numbers.ts";
import { Progress } from "../progress.ts";
import { TableLayout } from "../table.ts";
import type { SqlChange, SqlColumn, SqlPrinter, SqlProgress } from "./sql-client.ts";

export const sqlFormats = ["table", "json", "ndjson", "csv"] as const;

export type SqlFormatName = (typeof sqlFormats)[number];

export function createPrinter(format: SqlFormatName, io: CliIo): SqlPrinter {
  switch (format) {
    case "table":
      return new TablePrinter(io);
    case "json":
      return new JsonPrinter(io);
    case "ndjson":
      return new RowLinesPrinter(io);
    case "csv":
      return new CsvPrinter(io);
  }
}

/** Rows that decide how wide the columns of a table are. */
const sampleRowsMax = 1_000;

const utf8 = new TextDecoder();

/** What all formats share: messages and the progress line. */
abstract class Printer implements SqlPrinter {
  protected readonly io: CliIo;
  readonly #progress: Progress;
  protected names: ReadonlyMap<string, number> = new Map();

  constructor(io: CliIo) {
    this.io = io;
    this.#progress = new Progress(io.stderr);
  }

  async message(text: string): Promise<void> {
    await this.closeRows();
    await this.io.stderr.write(`${text}\n`);
  }

  async columns(columns: readonly SqlColumn[]): Promise<void> {
    await this.closeRows();
    this.names = new Map(columns.map(({ name }, index) => [name, index]));
    await this.openRows(columns);
  }

  async rows(rows: readonly Uint8Array[]): Promise<void> {
    await this.#progress.clear();
    await this.writeRows(rows);
  }

  async changes(changes: readonly SqlChange[]): Promise<void> {
    await this.writeChanges(changes);
  }

  async progress({ recordsRead, bytesRead, bytesTotal }: SqlProgress): Promise<void> {
    const fraction = bytesTotal > 0 ? Math.min(1, bytesRead / bytesTotal) : 1;
    await this.#progress.show({ records: recordsRead, bytes: bytesRead, fraction });
  }

  async idle(): Promise<void> {}

  async end({ isWhole }: { readonly isWhole: boolean }): Promise<void> {
    await this.#progress.clear();
    if (isWhole) await this.closeRows();
    else await this.idle();
  }

  protected async openRows(_columns: readonly SqlColumn[]): Promise<void> {}
  protected abstract writeRows(rows: readonly Uint8Array[]): Promise<void>;
  protected abstract writeChanges(changes: readonly SqlChange[]): Promise<void>;
  protected async closeRows(): Promise<void> {}
}

class TablePrinter extends Printer {
  #columns: readonly SqlColumn[] | null = null;
  #layout: TableLayout | null = null;
  #held: (string | null)[][] = [];
  #count = 0;
  #hasMarks = false;
  #hasShown: "message" | "rows" | null = null;

  override async message(text: string): Promise<void> {
    await this.closeRows();
    await this.#separate();
    await this.io.stdout.write(`${text}\n`);
    this.#hasShown = "message";
  }

  override async idle(): Promise<void> {
    if (this.#held.length > 0) await this.#flush();
  }

  protected override async openRows(columns: readonly SqlColumn[]): Promise<void> {
    await this.#separate(true);
    this.#columns = columns;
    this.#hasMarks = false;
    this.#count = 0;
    this.#hasShown = "rows";
  }

  protected async writeRows(rows: readonly Uint8Array[]): Promise<void> {
    for (const row of rows) this.#held.push(cellsOf(row, this.names).map(shownCell));
    this.#count += rows.length;
    if (this.#layout !== null || this.#held.length >= sampleRowsMax) await this.#flush();
  }

  /** Marks say what became of a row; those of the snapshot have none. */
  protected async writeChanges(changes: readonly SqlChange[]): Promise<void> {
    this.#hasMarks = true;
    for (const { change, row } of changes) {
      this.#held.push([changeMarks[change] ?? "?", ...cellsOf(row, this.names).map(shownCell)]);
    }
    this.#count += changes.length;
    if (this.#layout !== null || this.#held.length >= sampleRowsMax) await this.#flush();
  }

  protected override async closeRows(): Promise<void> {
    if (this.#columns === null) return;
    await this.#flush();
    const { stdout } = this.io;
    await stdout.write(`${styled(stdout, "dim", `(${counted(this.#count, "row")})`)}\n`);
    this.#columns = null;
    this.#layout = null;
  }

  /** An empty line around tables. */
  async #separate(isTable = false): Promise<void> {
    const isNear = this.#hasShown === null || (this.#hasShown === "message" && !isTable);
    if (!isNear) await this.io.stdout.write("\n");
  }

  async #flush(): Promise<void> {
    const { stdout } = this.io;
    const held = this.#held;
    this.#held = [];
    let text = "";
    if (this.#layout === null) {
      const columns = (this.#columns ?? []).map(({ name, type }) => ({
        title: name,
        align: isNumber(type) ? ("right" as const) : ("left" as const),
      }));
      const marks = this.#hasMarks ? [{ title: " " }] : [];
      this.#layout = new TableLayout(stdout, [...marks, ...columns], held);
      text = this.#layout.head();
    }
    await stdout.write(text + this.#layout.lines(held));
  }
}

const changeMarks: Readonly<Record<string, string>> = {
  ...{ snapshot: " ", insert: "+", update: "~", delete: "-" },
};

function isNumber(type: string): boolean {
  return /^(TINYINT|SMALLINT|INT|BIGINT|FLOAT|DOUBLE|DECIMAL)\b/.test(type);
}

function shownCell(cell: JsonCell | null): string {
  return cell === null ? "NULL" : cell.text;
}

/** An array of objects per statement that gives rows. */
class JsonPrinter extends Printer {
  #isOpen = false;
  #hasRows = false;

  protected override async openRows(): Promise<void> {
    this.#isOpen = true;
    this.#hasRows = false;
  }

  protected async writeRows(rows: readonly Uint8Array[]): Promise<void> {
    await this.#write(rows.map((row) => utf8.decode(row)));
  }

  protected async writeChanges(changes: readonly SqlChange[]): Promise<void> {
    await this.#write(changes.map(changeText));
  }

  async #write(texts: readonly string[]): Promise<void> {
    await this.io.stdout.write(`${this.#hasRows ? ",\n" : "[\n"}${texts.join(",\n")}`);
    this.#hasRows = true;
  }

  protected override async closeRows(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.io.stdout.write(this.#hasRows ? "\n]\n" : "[]\n");
  }
}

function changeText({ change, row }: SqlChange): string {
  return `{"change":"${change}","row":${utf8.decode(row)}}`;
}

class RowLinesPrinter extends Printer {
  protected async writeChanges(changes: readonly SqlChange[]): Promise<void> {
    await this.io.stdout.write(changes.map((each) => `${changeText(each)}\n`).join(""));
  }

  protected async writeRows(rows: readonly Uint8Array[]): Promise<void> {
    await this.io.stdout.write(rows.map((row) => `${utf8.decode(row)}\n`).join(""));
  }
}

/**
 * RFC 4180, with a line of names; NULL is an empty field, an empty text is `""`. What became of a
 * row is a field before its others.
 */
class CsvPrinter extends Printer {
  #head = "";

  protected override async openRows(columns: readonly SqlColumn[]): Promise<void> {
    this.#head = csvLine(columns.map(({ name }) => csvText(name)));
  }

  protected async writeRows(rows: readonly Uint8Array[]): Promise<void> {
    await this.#write(
      "",
      rows.map((row) => csvLine(this.#fields(row))),
    );
  }

  protected async writeChanges(changes: readonly SqlChange[]): Promise<void> {
    const lines = changes.map(({ change, row }) => csvLine([change, ...this.#fields(row)]));
    await this.#write("change,", lines);
  }

  protected override async closeRows(): Promise<void> {
    if (this.#head !== "") await this.#write("", []);
  }

  #fields(row: Uint8Array): string[] {
    const cells = cellsOf(row, this.names);
    return cells.map((cell) => (cell === null ? "" : csvText(cell.text)));
  }

  async #write(before: string, lines: readonly string[]): Promise<void> {
    const head = this.#head === "" ? "" : before + this.#head;
    this.#head = "";
    await this.io.stdout.write(head + lines.join(""));
  }
}

function csvLine(fields: readonly string[]): string {
  return `${fields.join(",")}\r\n`;
}

function csvText(text: string): string {
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
