/** `npm run build:worker`: deploy/cloudflare/dist/ with worker.js, its WebAssembly and its texts. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { budgetFaults, sizesOf, weights } from "./budget.ts";
import { bundleWorker } from "./bundle.ts";
import { workerEntry } from "./worker-entry.ts";

const out = join(import.meta.dir, "dist");

const bundle = await bundleWorker({ entry: workerEntry, minify: true });
const { javascript, lazy, wasm, texts } = sizesOf(bundle);
process.stdout.write(
  `JavaScript ${javascript + lazy} bytes, of them ${javascript} at the start; ` +
    `WebAssembly ${wasm} bytes, texts ${texts} bytes\n` +
    weights(bundle)
      .slice(0, 12)
      .map(([where, bytes]) => `${String(bytes).padStart(9)}  ${where}\n`)
      .join(""),
);
const faults = budgetFaults(bundle);
for (const fault of faults) process.stderr.write(`${fault}\n`);
if (faults.length > 0) process.exit(1);
rmSync(out, { recursive: true, force: true });
mkdirSync(out);
writeFileSync(join(out, "worker.js"), bundle.javascript);
for (const [name, { contents }] of bundle.chunks) writeFileSync(join(out, name), contents);
for (const [name, content] of [...bundle.wasm, ...bundle.texts]) {
  writeFileSync(join(out, name), content);
}
process.stdout.write(`Written to ${out}\n`);
