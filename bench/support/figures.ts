/** Figures beside their goals. A missed goal is told, never an error: benchmarks give no verdicts. */
import { type Column, renderTable } from "../../src/cli/table.ts";
import { rounded } from "./statistics.ts";

export type Goal = { readonly atLeast: number } | { readonly atMost: number };

export interface Figure {
  readonly what: string;
  readonly value: number;
  /** `MB/s`, `ms`, `× Kafka`. MB are 1 000 000 bytes. */
  readonly unit: string;
  readonly goal?: Goal | undefined;
  /** Spread, or what else belongs to the figure. */
  readonly note?: string;
}

const columns: readonly Column[] = [
  { title: "WHAT" },
  { title: "FIGURE", align: "right" },
  { title: "UNIT" },
  { title: "GOAL", align: "right" },
  { title: "VERDICT" },
  { title: "NOTE" },
];

/** Wide enough that nothing is cut, whatever the terminal: tables go into documents. */
const output = {
  write: async () => {},
  isTerminal: false,
  hasColour: false,
  columns: 1000,
} as const;

export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, value, unit, goal, note }) => [
    what,
    rounded(value),
    unit,
    goal === undefined ? "" : goalText(goal),
    goal === undefined ? "" : verdict(value, goal),
    note ?? "",
  ]);
  return renderTable(output, columns, rows);
}

function goalText(goal: Goal): string {
  return "atLeast" in goal ? `≥ ${rounded(goal.atLeast)}` : `≤ ${rounded(goal.atMost)}`;
}

/** `goal met`, or by what part of the goal it was missed. */
export function verdict(value: number, goal: Goal): string {
  const [limit, short] =
    "atLeast" in goal ? [goal.atLeast, goal.atLeast - value] : [goal.atMost, value - goal.atMost];
  if (short <= 0) return "goal met";
  return `missed by ${rounded((short / limit) * 100)} %`;
}
