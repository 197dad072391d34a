/** Goldens of `tests/golden/sql` as text: what a straight run gives, and what confirmed it. */
import type { CaseQuery, CaseResult, Folded, ResultRow } from "./sql-case-run.ts";

/** Sections without lines are left out. */
export function goldenText(result: CaseResult, query: CaseQuery): string {
  const { isAppend, isTimed } = query;
  const lineOf = (row: ResultRow) => lineWith(row, isTimed);
  const sections: [string, readonly string[]][] = isAppend
    ? [
        ["rows", result.rows.map(lineOf)],
        ["at the end", result.last.map(lineOf)],
      ]
    : [
        ["state", stateLines(result.states.at(-1)?.state ?? new Map())],
        ["changes at the end", result.last.map(lineOf).sort()],
      ];
  sections.push(["late", [...result.late].sort()], ["errors", [...result.errors].sort()]);
  return sections
    .filter(([, lines]) => lines.length > 0)
    .map(([name, lines]) => `== ${name}\n${lines.join("\n")}\n`)
    .join("");
}

function lineWith({ key, value, timestamp }: ResultRow, isTimed: boolean): string {
  const at = isTimed ? `${new Date(timestamp).toISOString()} ` : "";
  return `${at}${key === null ? "" : `${key} `}${value ?? "gone"}`;
}

export function stateLines(state: Folded): string[] {
  return [...state.entries()].map(([key, value]) => `${key} ${value}`).sort();
}

/** A golden's header, lines that begin with "#", and what is behind it. */
export function splitGolden(text: string): { readonly header: string; readonly body: string } {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("#"));
  return { header: lines.slice(0, end).join("\n"), body: lines.slice(end).join("\n") };
}
