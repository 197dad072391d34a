/**
 * The reference in docs/SQL.md: the options of WITH, our functions, and Flink's list of built-in
 * functions with what works of it.
 */
import { aggregateNames } from "../../sql/check/aggregate-names.ts";
import { streamOptions } from "../../sql/check/stream-options.ts";
import { functionByName, functionCatalog } from "../../sql/functions/catalog.ts";
import type { FunctionGroup } from "../../sql/functions/definition.ts";
import { flinkFunctions, workingForms } from "./flink-functions.ts";
import { codeSpan, markdownTable, withBlock } from "./page-block.ts";

/** `page` (docs/SQL.md) with the reference made anew. */
export function withSqlReference(page: string): string {
  const parts = [
    { name: "sql-options", source: "src/sql/check/stream-options.ts", markdown: options() },
    { name: "sql-functions", source: "src/sql/functions/catalog.ts", markdown: functions() },
    { name: "flink-functions", source: "src/cli/pages/flink-functions.ts", markdown: flink() },
  ];
  return parts.reduce(withBlock, page);
}

function options(): string {
  const rows = Object.entries(streamOptions).map(([name, { wanted, doc }]) => [
    codeSpan(name),
    wanted,
    doc,
  ]);
  return markdownTable(["option", "takes", "meaning"], rows);
}

const groupTitles: Readonly<Record<FunctionGroup, string>> = {
  comparison: "Comparison",
  logical: "Logic",
  arithmetic: "Numbers",
  string: "Text",
  temporal: "Time",
  conditional: "Conditions",
  conversion: "Types",
  json: "JSON and rows",
  hash: "Hashes",
};

function functions(): string {
  const sections = Object.entries(groupTitles).map(([group, title]) => {
    const rows = functionCatalog
      .filter((definition) => definition.group === group)
      .map(({ syntax, doc }) => [codeSpan(syntax), doc]);
    return `### ${title}\n\n${markdownTable(["function", "gives"], rows)}`;
  });
  return sections.join("\n\n");
}

function flink(): string {
  const all = Object.values(flinkFunctions).flat();
  const works = all.filter((name) => isThere(name)).length;
  const sections = Object.entries(flinkFunctions).map(([group, names]) => {
    const cells = names.map((name) => `${isThere(name) ? "✓" : "–"} ${codeSpan(name)}`);
    return `**${group}**: ${cells.join(", ")}`;
  });
  return `${works} of ${all.length} work.\n\n${sections.join("\n\n")}`;
}

function isThere(name: string): boolean {
  return (
    Object.hasOwn(workingForms, name) ||
    aggregateNames.includes(name) ||
    functionByName(name) !== undefined
  );
}
