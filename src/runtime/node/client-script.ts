import { readFileSync } from "node:fs";

/** What `npm run build:client` makes; committed, so that a server needs no build. */
export const clientScriptFile = new URL("../../client/build/client.min.js", import.meta.url);

/** The text of /client.js. */
export function readClientScript(): string {
  return readFileSync(clientScriptFile, "utf8");
}
