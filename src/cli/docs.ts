/** `npm run docs`: writes the parts of docs/ that are made from code. */
import { readFileSync, writeFileSync } from "node:fs";
import { withHttpReference } from "./http-page.ts";
import { withSettings } from "./settings-page.ts";

const pages = { "HTTP.md": withHttpReference, "OPERATIONS.md": withSettings };

for (const [name, renew] of Object.entries(pages)) {
  const page = new URL(`../../docs/${name}`, import.meta.url);
  writeFileSync(page, renew(readFileSync(page, "utf8")));
}
