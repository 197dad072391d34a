import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, sourceFiles } from "./source-files.ts";

/** Files that nobody imports because they are started by name. */
const entries = new Set([
  "src/client/kafkajs-socket.ts",
  "src/client/page-script.ts",
  "src/cli/pages/write-pages.ts",
  "src/cli/main.ts",
  "src/runtime/bun/main.ts",
  "src/runtime/deno/main.ts",
  "src/runtime/workerd/main.ts",
  // Put in place of others by deploy/cloudflare/stand-ins.ts.
  "src/arrow/small-ipc-stream.ts",
  "src/runtime/workerd/http-only.ts",
  "src/runtime/workerd/no-cuts.ts",
  "src/runtime/workerd/small-base64.ts",
  "src/runtime/workerd/small-hono.ts",
  "src/runtime/workerd/small-zod.ts",
]);

describe("dead files", () => {
  test("every file of src is imported by another of src, or is an entry", () => {
    const files = sourceFiles("src");
    const launcher = readFileSync(join(root, "src/cli/launcher.mjs"), "utf8");
    const used = new Set(files.flatMap((file) => file.imports));
    const dead = files
      .map(({ path }) => path)
      .filter((path) => !used.has(path) && !entries.has(path))
      .filter((path) => !launcher.includes(path.replace("src/cli/", "./")));
    expect(dead).toEqual([]);
  });

  test("every function, class and constant that src exports is named in another file", () => {
    const files = ["src", "tests", "bench", "deploy"].flatMap((folder) => sourceFiles(folder));
    const namedIn = new Map<string, number>();
    for (const { lines } of files) {
      const words = lines
        .filter((line) => !isComment(line))
        .flatMap((line) => line.match(/[\w$]+/g) ?? []);
      for (const word of new Set(words)) namedIn.set(word, (namedIn.get(word) ?? 0) + 1);
    }
    const dead = files
      .filter(({ path }) => path.startsWith("src/") && !entries.has(path) && !isTable(path))
      .flatMap(({ path, lines }) =>
        lines
          .map((line) => /^export (?:async )?(?:function\*?|class|const) ([\w$]+)/.exec(line)?.[1])
          .filter((name) => name !== undefined && namedIn.get(name) === 1)
          .map((name) => `${path}: ${name}`),
      );
    expect(dead).toEqual([]);
  });
});

/** A Kafka API is a file with two tables, whoever wants which. */
function isTable(path: string): boolean {
  return path.startsWith("src/wire/kafka/api/");
}

function isComment(line: string): boolean {
  return /^\s*(\*|\/\/|\/\*)/.test(line);
}
