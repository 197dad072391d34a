/**
 * What is wrong with one row: a number out of range, a text that is no date. The message is the
 * reason that the error row carries, so it names the value and what was wanted of it.
 */
export class RowError extends Error {
  override readonly name = "RowError";
}

const shownMax = 60;

/** A text in a reason: quoted, and cut where it is long. */
export function shown(text: string): string {
  return text.length <= shownMax ? `'${text}'` : `'${text.slice(0, shownMax)}…'`;
}
