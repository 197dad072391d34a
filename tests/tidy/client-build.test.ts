/** What is committed of the client's build, and what pages pay for it. */
import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  buildClient,
  bundleOf,
  clientBuildFolder,
  type EntrySize,
  gzippedBytesMax,
} from "../../deploy/client/build-client.ts";
import manifest from "../../package.json" with { type: "json" };
import { root } from "./source-files.ts";

const out = mkdtempSync(join(tmpdir(), "millrace-client-"));
let sizes: readonly EntrySize[] = [];

test("the committed build of the client is what its sources make", async () => {
  try {
    sizes = await buildClient(out);
    const files = readdirSync(out).toSorted();
    expect(readdirSync(clientBuildFolder).toSorted()).toEqual(files);
    for (const file of files) {
      const isSame = readFileSync(join(out, file)).equals(
        readFileSync(join(clientBuildFolder, file)),
      );
      expect(isSame, `src/client/build/${file} is old: run npm run build:client`).toBe(true);
    }
  } finally {
    rmSync(out, { recursive: true });
  }
}, 60_000);

test("each entry keeps to its budget, and none is empty", () => {
  expect(sizes).toHaveLength(5);
  for (const { name, gzippedBytes } of sizes) {
    expect(gzippedBytes, name).toBeLessThanOrEqual(gzippedBytesMax);
    expect(gzippedBytes, name).toBeGreaterThan(300);
  }
});

test("every export of the package is there, with its types", () => {
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === "string" ? [target] : Object.values(target),
  );
  expect(targets).toHaveLength(9);
  for (const target of targets) expect(readFileSync(join(root, target)).length).toBeGreaterThan(0);
});

test("a page that only produces loads nothing of consuming, and no queue", async () => {
  const entry = JSON.stringify(join(clientBuildFolder, "client.js"));
  const all = await bundleOf(`export * from ${entry}`);
  const some = await bundleOf(`export { connect, produce } from ${entry}`);
  expect(all).toContain("text/event-stream");
  expect(all).toContain("createObjectStore");
  expect(some).not.toContain("text/event-stream");
  expect(some).not.toContain("createObjectStore");
});
