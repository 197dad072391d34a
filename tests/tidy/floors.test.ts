import { describe, expect, test } from "bun:test";
import { type SourceFile, sourceFiles } from "./source-files.ts";

/** Folder → floor, longest prefix first. A folder imports only from lower floors and from itself. */
const floors: readonly (readonly [folder: string, floor: number])[] = [
  ["src/base/", 0],
  ["src/record/", 1],
  ["src/wire/kafka/", 1],
  ["src/wire/http/", 1],
  ["src/arrow/", 2],
  ["src/segment/", 2],
  ["src/store/", 2],
  ["src/meta/", 2],
  ["src/log/", 3],
  ["src/group/", 3],
  ["src/sql/", 3],
  ["src/pipeline/", 4],
  ["src/server/http/", 5],
  ["src/server/kafka/", 5],
  ["src/runtime/", 6],
  ["src/cli/", 7],
];

/** Beside the floors: pages and users' programs load it, so it stands on nothing but itself. */
const clientFolder = "src/client/";

/** What the neutral floors may use beside Web APIs. */
const neutralPackages = new Set(["hono", "zod", "@aws-sdk/client-s3", "apache-arrow"]);

const all = sourceFiles("src");
const files = all.filter(({ path }) => !path.startsWith(clientFolder));
const clientFiles = all.filter(({ path }) => path.startsWith(clientFolder));

function floorOf(path: string): readonly [string, number] {
  const found = floors.find(([folder]) => path.startsWith(folder));
  if (found === undefined) throw new Error(`${path} stands on no floor: see DESIGN, "The house"`);
  return found;
}

function upward(file: SourceFile): string[] {
  const [folder, floor] = floorOf(file.path);
  return file.imports
    .filter((target) => target.startsWith("src/") && !target.startsWith(folder))
    .filter((target) => floorOf(target)[1] >= floor)
    .map((target) => `${file.path} → ${target}`);
}

describe("floors", () => {
  test("every folder imports from lower floors only, never sideways", () => {
    expect(files.flatMap(upward)).toEqual([]);
  });

  test("floors 0 to 5 use neutral packages only", () => {
    const found = files
      .filter((file) => floorOf(file.path)[1] <= 5)
      .flatMap((file) => file.packages.map((name) => ({ file: file.path, name })))
      .filter(({ name }) => !neutralPackages.has(packageOf(name)));
    expect(found).toEqual([]);
  });

  test("the client imports nothing but itself, and nobody imports it", () => {
    const outward = clientFiles.flatMap(({ path, imports, packages }) =>
      [...imports.filter((target) => !target.startsWith(clientFolder)), ...packages].map(
        (target) => `${path} → ${target}`,
      ),
    );
    const inward = files
      .filter(({ imports }) => imports.some((target) => target.startsWith(clientFolder)))
      .map(({ path }) => path);
    expect([...outward, ...inward]).toEqual([]);
  });

  test("no imports go in a circle", () => {
    expect(findCycle(new Map(all.map((file) => [file.path, file.imports])))).toEqual([]);
  });
});

function packageOf(specifier: string): string {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? specifier);
}

function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): string[] => {
    const start = path.indexOf(node);
    if (start >= 0) return [...path.slice(start), node];
    if (done.has(node)) return [];
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle.length > 0) return cycle;
    }
    path.pop();
    done.add(node);
    return [];
  };
  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
