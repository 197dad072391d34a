/** Aligned text tables that fit the terminal. */
import { harmless, type Output, styled } from "./io.ts";

export interface Column {
  readonly title: string;
  /** Numbers stand right. */
  readonly align?: "left" | "right";
}

export type Cell = string | number | null | undefined;

const gap = "  ";
/** A column is not made narrower than this to fit. */
const shrunkWidthMin = 8;

/**
 * The table as lines, the titles first, each ended by a line feed. Where the lines would be wider
 * than `output`, the widest left-aligned columns are cut, with `…` at the cut.
 */
export function renderTable(
  output: Output,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): string {
  const layout = new TableLayout(output, columns, rows);
  return layout.head() + layout.lines(rows);
}

/** Widths of columns, found from the first rows; later ones are cut to them on a terminal. */
export class TableLayout {
  readonly #output: Output;
  readonly #columns: readonly Column[];
  readonly #widths: number[];

  constructor(output: Output, columns: readonly Column[], sample: readonly (readonly Cell[])[]) {
    this.#output = output;
    this.#columns = columns;
    this.#widths = columns.map(({ title }, index) => {
      let width = Bun.stringWidth(title);
      for (const row of sample) width = Math.max(width, Bun.stringWidth(cellText(row[index])));
      return width;
    });
    shrink(this.#widths, columns, output.columns);
  }

  /** The line of titles. */
  head(): string {
    const titles = this.#columns.map(({ title }) => title);
    return `${styled(this.#output, "bold", this.#line(titles))}\n`;
  }

  lines(rows: readonly (readonly Cell[])[]): string {
    return rows
      .map((row) => `${this.#line(this.#columns.map((_, index) => cellText(row[index])))}\n`)
      .join("");
  }

  #line(cells: readonly string[]): string {
    const isCut = Number.isFinite(this.#output.columns);
    return cells
      .map((cell, index) => {
        const width = this.#widths[index] ?? 0;
        const shown = isCut ? cut(cell, width) : cell;
        return pad(shown, width, this.#columns[index]?.align ?? "left");
      })
      .join(gap)
      .trimEnd();
  }
}

/** Names and values below each other: `name  value`. */
export function renderFacts(output: Output, facts: readonly (readonly [string, Cell])[]): string {
  const width = Math.max(0, ...facts.map(([name]) => Bun.stringWidth(name)));
  return facts
    .map(
      ([name, value]) => `${styled(output, "dim", pad(name, width, "left"))}  ${cellText(value)}\n`,
    )
    .join("");
}

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return "-";
  return harmless(String(cell)).replaceAll(/[\t\n]/g, " ");
}

function shrink(widths: number[], columns: readonly Column[], available: number): void {
  let excess = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1));
  excess -= available;
  while (excess > 0) {
    let widest = -1;
    for (let index = 0; index < widths.length; index++) {
      if (columns[index]?.align === "right") continue;
      if ((widths[index] ?? 0) > (widths[widest] ?? shrunkWidthMin)) widest = index;
    }
    if (widest < 0) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
}

function pad(text: string, width: number, align: "left" | "right"): string {
  const fill = " ".repeat(Math.max(0, width - Bun.stringWidth(text)));
  return align === "right" ? fill + text : text + fill;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function cut(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  let taken = "";
  let takenWidth = 0;
  for (const { segment } of graphemes.segment(text)) {
    const segmentWidth = Bun.stringWidth(segment);
    if (takenWidth + segmentWidth > width - 1) break;
    taken += segment;
    takenWidth += segmentWidth;
  }
  return `${taken}…`;
}
