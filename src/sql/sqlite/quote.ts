/** Names and texts as SQL text. */

/** `name` in double quotes. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
