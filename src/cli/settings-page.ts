/**
 * The table of settings in docs/OPERATIONS.md. It lies between two marks there; `npm run docs`
 * writes it anew, and a tidy test compares.
 */
import { flagName, type Option, type OptionTable } from "../runtime/node/options.ts";
import { settingChapters } from "../runtime/settings.ts";

const begin = "<!-- settings: made by `npm run docs` from src/runtime/settings.ts -->";
const end = "<!-- /settings -->";

/** `page` with the block between the marks made anew. */
export function withSettings(page: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`The page lacks the marks ${begin} and ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${settingsMarkdown()}\n\n${page.slice(to)}`;
}

/** The settings as a Markdown table, for docs/OPERATIONS.md. */
export function settingsMarkdown(): string {
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
