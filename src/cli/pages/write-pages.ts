/** `npm run docs`: writes the parts of docs/ that are made from code. */
import { readFileSync, writeFileSync } from "node:fs";
import { generatedPages } from "./generated-pages.ts";

for (const [path, renew] of Object.entries(generatedPages)) {
  const page = new URL(`../../../${path}`, import.meta.url);
  writeFileSync(page, renew(readFileSync(page, "utf8")));
}
