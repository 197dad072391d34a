/** Parts of docs/ that are made from code: they lie between two marks of their page. */

export interface PageBlock {
  /** In the closing mark: `<!-- /name -->`. */
  readonly name: string;
  /** The file whose tables the block shows. */
  readonly source: string;
  readonly markdown: string;
}

/** `page` with the block between its marks made anew. Throws where the marks are missing. */
export function withBlock(page: string, { name, source, markdown }: PageBlock): string {
  const begin = `<!-- ${name}: made by \`npm run docs\` from ${source} -->`;
  const end = `<!-- /${name} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from < 0 || to < from) throw new Error(`The page lacks the marks ${begin} and ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${markdown}\n\n${page.slice(to)}`;
}

export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

export function codeSpan(text: string): string {
  return `\`${text}\``;
}
