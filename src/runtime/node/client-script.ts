import { readFileSync } from "node:fs";
import { clientScriptFile } from "./data-files.ts";

/** The text of /client.js. */
export function readClientScript(): string {
  return readFileSync(clientScriptFile(), "utf8");
}
