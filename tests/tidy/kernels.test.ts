import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const wasm = fileURLToPath(new URL("../../wasm/", import.meta.url));

test("the committed kernels are what their sources compile to", () => {
  const out = mkdtempSync(join(tmpdir(), "millrace-kernels-"));
  try {
    execFileSync(process.execPath, [join(wasm, "build.mjs"), "--out", out], { stdio: "pipe" });
    const files = kernelsIn(out);
    expect(kernelsIn(join(wasm, "build"))).toEqual(files);
    for (const file of files) {
      const isSame = readFileSync(join(out, file)).equals(readFileSync(join(wasm, "build", file)));
      expect(isSame, `wasm/build/${file} is old: run npm run build:wasm`).toBe(true);
    }
  } finally {
    rmSync(out, { recursive: true });
  }
}, 600_000);

function kernelsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".wasm"))
    .toSorted();
}
