/** The table of settings in docs/OPERATIONS.md. */
import { flagName, type Option, type OptionTable } from "../../runtime/node/options.ts";
import { settingChapters } from "../../runtime/settings.ts";
import { withBlock } from "./page-block.ts";

/** `page` (docs/OPERATIONS.md) with the table made anew. */
export function withSettings(page: string): string {
  const source = "src/runtime/settings.ts";
  return withBlock(page, { name: "settings", source, markdown: settingsMarkdown() });
}

/** The settings as a Markdown table, for docs/OPERATIONS.md. */
function settingsMarkdown(): string {
  const lines: string[] = [];
  for (const [chapter, table] of Object.entries(settingChapters)) {
    lines.push(`### ${chapter}`, "", "| setting | default | meaning |", "|---|---|---|");
    for (const [key, each] of Object.entries(table as OptionTable)) {
      lines.push(`| ${namesOf(key, each)} | ${shownDefault(each)} | ${cellText(each.doc)} |`);
    }
    lines.push("");
  }
  return lines.join("\n").trimEnd();
}

function namesOf(key: string, each: Option<unknown>): string {
  const variable = `\`${each.env}\``;
  if (each.envOnly) return variable;
  const value = each.value === undefined ? "" : ` ${each.value}`;
  return `\`--${flagName(key)}${cellText(value)}\`<br>${variable}`;
}

function shownDefault(each: Option<unknown>): string {
  if (each.fallbackShown !== undefined) return cellText(each.fallbackShown);
  return each.fallback === undefined ? "" : `\`${each.fallback}\``;
}

function cellText(cell: string): string {
  return cell.replaceAll("|", "\\|");
}
