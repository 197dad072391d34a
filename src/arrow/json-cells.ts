/**
 * Values out of rows that are JSON objects by column name, found by scanning: a BIGINT or a DECIMAL
 * would not survive JSON.parse.
 */
import { type JsonKind, JsonScanner } from "../wire/http/json-source.ts";

const utf8 = new TextDecoder();

/** One value as the row has it. */
export interface JsonCell {
  readonly kind: JsonKind;
  /** Of a string its text, of anything else its source. */
  readonly text: string;
}

/** The cells of a row by place in `names`; null for NULL and for what the row does not have. */
export function cellsOf(row: Uint8Array, names: ReadonlyMap<string, number>): (JsonCell | null)[] {
  const cells = new Array<JsonCell | null>(names.size).fill(null);
  const scanner = new JsonScanner(row);
  scanner.enter("object");
  for (let isFirst = true; scanner.nextProperty(isFirst); isFirst = false) {
    const place = names.get(scanner.text());
    const kind = scanner.skipValue();
    if (place === undefined || kind === "null") continue;
    const text = kind === "string" ? scanner.text() : utf8.decode(scanner.source());
    cells[place] = { kind, text };
  }
  return cells;
}
