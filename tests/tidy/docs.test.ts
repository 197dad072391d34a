/** Documents that drifted from the code: made parts, files, commands, flags, scripts, variables. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { Glob } from "bun";
import manifest from "../../package.json" with { type: "json" };
import { commandLoaders } from "../../src/cli/commands.ts";
import { generatedPages } from "../../src/cli/pages/generated-pages.ts";
import { root, sourceFiles } from "./source-files.ts";

interface Page {
  readonly path: string;
  readonly text: string;
}

const pages: readonly Page[] = ["", "docs", "docs/adr", "tests/golden/generate/record-batch"]
  .flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name)),
  )
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

/** Of CONTRIBUTING: where the test of a file lies. */
const exampleFiles = new Set(["src/a/b.ts", "tests/unit/a/b.test.ts"]);
const topFolders = ["src", "tests", "docs", "deploy", "bench", "wasm", ".ci", ".github"];
const sourceFolders = readdirSync(join(root, "src"));

describe("documents", () => {
  for (const [path, renew] of Object.entries(generatedPages)) {
    test(`${path} is what npm run docs makes of it`, () => {
      const page = readFileSync(join(root, path), "utf8");
      expect(renew(page)).toBe(page);
    });
  }

  test("every file and folder that they name exists", () => {
    const found = pages.flatMap(({ path, text }) =>
      namedFiles(text)
        .filter((name) => !exampleFiles.has(name) && !isThere(name))
        .map((name) => `${path}: ${name}`),
    );
    expect(found).toEqual([]);
  });

  test("every link between them leads somewhere", () => {
    const found = pages.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => !existsSync(join(root, normalize(join(dirname(path), target)))))
        .map((target) => `${path}: ${target}`),
    );
    expect(found).toEqual([]);
  });

  test("every streamctl command and flag that they show exists", async () => {
    const found: string[] = [];
    for (const { path, text } of pages) {
      for (const line of commandLines(text)) {
        const fault = await commandFault(line);
        if (fault !== undefined) found.push(`${path}: ${fault} in "streamctl ${line}"`);
      }
    }
    expect(found).toEqual([]);
  });

  test("every npm script that they name exists", () => {
    const scripts = new Set(Object.keys(manifest.scripts));
    const found = pages.flatMap(({ path, text }) =>
      [...text.matchAll(/\b(?:npm|bun) run ([\w:-]+)/g)]
        .map(([, script = ""]) => script)
        .filter((script) => !scripts.has(script))
        .map((script) => `${path}: ${script}`),
    );
    expect(found).toEqual([]);
  });

  test("every MILLRACE_ variable that they name is read somewhere", () => {
    const code = ["src", "tests", "bench"].flatMap((folder) => sourceFiles(folder));
    const known = new Set(code.flatMap(({ text }) => text.match(/\bMILLRACE_[A-Z_\d]+/g) ?? []));
    const found = pages.flatMap(({ path, text }) =>
      [...(text.match(/\bMILLRACE_[A-Z_\d]+/g) ?? [])]
        .filter((name) => !known.has(name))
        .map((name) => `${path}: ${name}`),
    );
    expect(found).toEqual([]);
  });
});

/**
 * Code spans that are a path: from the root, or from src as ARCHITECTURE has them. `*` and `{a,b}`
 * stand for names; what has `<…>` is no file of ours.
 */
function namedFiles(text: string): string[] {
  return [...text.matchAll(/`([\w.@*{},-]+(?:\/[\w.@*{},-]*)+)`/g)]
    .map(([, name = ""]) => name)
    .filter((name) => {
      const [first = ""] = name.split("/");
      return topFolders.includes(first) || (sourceFolders.includes(first) && !isMediaType(name));
    });
}

/** `text/plain` and its like; no folder of src is called so, but one might be. */
function isMediaType(name: string): boolean {
  return /^(application|text)\//.test(name);
}

function isThere(name: string): boolean {
  const path = name.replace(/\/$/, "");
  const places = [root, join(root, "src")];
  if (!/[*{]/.test(path)) return places.some((place) => existsSync(join(place, path)));
  return places.some((cwd) => !new Glob(path).scanSync({ cwd }).next().done);
}

/** What follows `streamctl` in code, up to the end of its command line. */
function commandLines(text: string): string[] {
  const code = [...text.matchAll(/```[^\n]*\n([\s\S]*?)```|`([^`\n]+)`/g)].map(([, block, span]) =>
    (block ?? span ?? "").replaceAll("\\\n", " "),
  );
  return code.flatMap((each) =>
    [...each.matchAll(/(?:^|[\s/(])streamctl +([a-z][^|;&<>#\n]*)/gm)].map(([, line = ""]) =>
      line.trim(),
    ),
  );
}

async function commandFault(line: string): Promise<string | undefined> {
  const words = line.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  const [first = "", second = ""] = words;
  if (first === "help") return undefined;
  const names = Object.keys(commandLoaders);
  const name = [`${first} ${second}`, first].find((each) => names.includes(each));
  if (name === undefined) {
    // A family: `streamctl topic`, or `topic list|describe`, which ends at the bar.
    return names.some((each) => each.startsWith(`${first} `)) && second === ""
      ? undefined
      : "unknown command";
  }
  const command = await commandLoaders[name as keyof typeof commandLoaders]();
  const help = command.help({
    hasColour: false,
    isTerminal: false,
    columns: 200,
    write: async () => {},
  });
  const flags = new Set([...(help.match(/--[a-z][a-z-]*/g) ?? []), "--help"]);
  const unknown = words.find(
    (word) => /^--[a-z]/.test(word) && !flags.has(word.split("=")[0] ?? ""),
  );
  return unknown === undefined ? undefined : `unknown flag ${unknown}`;
}
