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
  const texts = rows.map((row) => columns.map((_, index) => cellText(row[index])));
  const widths = columns.map((column, index) =>
    Math.max(
      Bun.stringWidth(column.title),
      ...texts.map((row) => Bun.stringWidth(row[index] ?? "")),
    ),
  );
  shrink(widths, columns, output.columns);
  const titles = columns.map((column) => column.title);
  const head = styled(output, "bold", line(titles, columns, widths));
  return [head, ...texts.map((row) => line(row, columns, widths))]
    .map((each) => `${each}\n`)
    .join("");
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

function line(cells: readonly string[], columns: readonly Column[], widths: readonly number[]) {
  return cells
    .map((cell, index) => {
      const width = widths[index] ?? 0;
      return pad(cut(cell, width), width, columns[index]?.align ?? "left");
    })
    .join(gap)
    .trimEnd();
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
