/** How a complaint words what was wanted and what was found. */
import type { Token } from "./token.ts";

/** What is wanted in words, not to be flooded by everything that an expression may go on with. */
const wantedShownMax = 6;

/** A closing sign is what is forgotten most, an operator least. */
export function oneOf(wants: readonly string[]): string {
  if (wants.length === 0) return "the end of the statement";
  const rank = (want: string) => (/^[)\]>]$/.test(want) ? 0 : want === "an operator" ? 2 : 1);
  const wanted = [...wants].sort((left, right) => rank(left) - rank(right));
  const shown = wanted.slice(0, wantedShownMax).map(wantedName);
  if (wanted.length > wantedShownMax) return `one of ${shown.join(", ")}, …`;
  if (shown.length < 3) return shown.join(" or ");
  return `one of ${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}`;
}

function wantedName(want: string): string {
  return want === "," ? "a comma" : want;
}

/** The words in capitals among what is wanted; of several in a row each may be the mistyped one. */
export function* keywordsOf(wanted: readonly string[]): Iterable<string> {
  for (const want of wanted) if (/^[A-Z_ ]+$/.test(want)) yield* want.split(" ");
}

export function describe(token: Token): string {
  const text = token.text.length > 30 ? `${token.text.slice(0, 30)}…` : token.text;
  switch (token.kind) {
    case "end":
      return "the end of the statement";
    case "string":
      return `'${text.replaceAll("'", "''")}'`;
    case "binary":
      return `X'${text}'`;
    case "quoted":
      return `\`${text}\``;
    default:
      return text;
  }
}

/** The parenthesis before `index` that nothing has closed; null when all are. */
export function openParenthesis(tokens: readonly Token[], index: number): Token | null {
  let closed = 0;
  for (let at = index - 1; at >= 0; at--) {
    const token = tokens[at];
    if (token?.kind !== "symbol") continue;
    if (token.text === ")") closed++;
    else if (token.text === "(" && closed-- === 0) return token;
  }
  return null;
}

/** `1 column`, `2 columns`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
