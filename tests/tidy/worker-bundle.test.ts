import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { transform } from "esbuild";
import * as z from "zod";
import {
  budgetFaults,
  javascriptBytesMax,
  startBytesMax,
  wasmBytesMax,
  weights,
} from "../../deploy/cloudflare/budget.ts";
import { bundleWorker, type WorkerBundle } from "../../deploy/cloudflare/bundle.ts";
import { sentencesApart, sourcesOfSentences } from "../../deploy/cloudflare/with-sentences.ts";
import { undocumented } from "../../deploy/cloudflare/without-docs.ts";
import { workerEntry } from "../../deploy/cloudflare/worker-entry.ts";

import { migrations } from "../../src/meta/schema.ts";
import * as smallHono from "../../src/runtime/workerd/small-hono.ts";
import * as smallZod from "../../src/runtime/workerd/small-zod.ts";
import { unsupportedWords } from "../../src/sql/syntax/keywords.ts";
import { produceApi } from "../../src/wire/kafka/api/produce.ts";
import { root } from "./source-files.ts";

const bundle = await bundleWorker({ entry: workerEntry, minify: true });
const javascript = [
  bundle.javascript,
  ...[...bundle.chunks.values()].map(({ contents }) => contents),
]
  .map((each) => new TextDecoder().decode(each))
  .join("\n");

describe("the Worker's bundle", () => {
  test("keeps to its budget and makes no code while it runs", () => {
    expect(budgetFaults(bundle)).toEqual([]);
  });

  test("looks for no file beside itself, which would fail as it starts", () => {
    expect(javascript.includes("import.meta")).toBe(false);
  });

  test("starts the front, and nothing that an object runs", () => {
    const started = Object.entries(bundle.metafile.outputs).filter(([name]) => {
      return bundle.chunks.get(name)?.isLazy !== true;
    });
    const sources = started.flatMap(([, { inputs }]) => Object.keys(inputs));
    expect(sources).toContain("src/runtime/workerd/front.ts");
    expect(sources.filter((path) => /^src\/(log|meta|sql|pipeline|store)\//.test(path))).toEqual(
      [],
    );
  });

  test("asks libSQL servers through @libsql/client/web, of which it has HTTP and JSON alone", () => {
    const inputs = Object.keys(bundle.metafile.inputs);
    expect(inputs).toContain("node_modules/@libsql/client/lib-esm/web.js");
    const foreign = inputs.filter((path) => /node_modules\/(?!hono\/)/.test(path));
    expect(foreign.filter((path) => /[\\/_]ws|protobuf|cursor|base64/.test(path))).toEqual([]);
  });

  test("holds no S3 client and no Arrow", () => {
    const foreign = weights(bundle).filter(([where]) =>
      /^(@aws-sdk|@smithy|apache-arrow)/.test(where),
    );
    expect(foreign).toEqual([]);
  });

  test("holds no sentence that only documents are made from", () => {
    // Whether it holds a text, and not the text, or a failure shows the whole bundle.
    expect(javascript.includes("POWER(base, exponent)")).toBe(true);
    for (const sentence of ["Natural logarithm.", "The topic's name as it", "JSON Schema draft"]) {
      expect(javascript.includes(sentence), sentence).toBe(false);
    }
  });

  test("loses sentences and nothing else", () => {
    const source = `const a = { doc: "Says \\"so\\"." + "\\n", what: "kept" };
const b = z.string().describe("What it is.").min(1);
const doc: string = text;
`;
    expect(undocumented(source, false)).toBe(`const a = { doc: "", what: "kept" };
const b = z.string().min(1);
const doc: string = text;
`);
    expect(undocumented(source, true)).toContain('what: ""');
    const shape = `export const c = z\n  .object({ a })\n  .meta({ id: "C",\n description: "d" });`;
    expect(undocumented(shape, true)).toBe(
      "export const c = /* @__PURE__ */ z\n  .object({ a })\n  .meta({\n});",
    );
  });

  test("its stand-ins have what is asked of zod's shapes and of hono", () => {
    const sources = [...filesFrom(/[\\/]zod[\\/]|small-zod\.ts$/)];
    const near = [...filesFrom(...sources.map((path) => new RegExp(`^${RegExp.escape(path)}$`)))];
    const theirs = [z.string(), z.number(), z.object({}), z.array(z.int()), z.enum(["a"])];
    // Methods of others that happen to be called the same.
    const known = namesOf("", [], new Map(), new Set(), Promise.prototype, /a/);
    for (const name of ["decode", "encode", "options"]) known.add(name);
    const lacking = namesOf(...theirs)
      .difference(namesOf(smallZod.string()))
      .difference(known);
    expect(namesOf(smallZod.string()).has("optional")).toBe(true);
    expect(sources.length).toBeGreaterThan(8);
    expect(calledIn([...sources, ...near], /(?<!\bz\s*)\.(\w+)\(/g).intersection(lacking)).toEqual(
      new Set(),
    );

    const context = new smallHono.Context(new Request("http://a/"), "/");
    const has = namesOf(context, context.req, new smallHono.Hono());
    const routed = [...filesFrom(/small-hono\.ts$/)];
    expect(routed.length).toBeGreaterThan(8);
    const asked = calledIn(routed, /\b(?:c|app|c\.req|surface\.app)\.(\w+)/g);
    expect(asked.difference(has)).toEqual(new Set());
  });

  test("holds tables as texts, with what they were made from", () => {
    const { texts } = bundle;
    const at = (text: string, key: string) => JSON.parse(texts.get(text) ?? "{}")[key];
    expect(at("kafka.txt", "produce.produceApi")).toEqual(JSON.parse(JSON.stringify(produceApi)));
    expect(at("metadata.txt", "schema.migrations")).toEqual(migrations);
    expect(at("words.txt", "keywords.unsupportedWords")).toEqual([...unsupportedWords]);
    // Of a table that nobody asks for nothing is left.
    expect(at("kafka.txt", "produce.produceRequest")).toBeUndefined();
  });

  test("holds statements and messages as a text, which does not start with it", () => {
    const held = JSON.parse(bundle.texts.get("sentences.txt") ?? "[]") as string[];
    const statements = held.filter((each) => each.includes("json_each"));
    expect(statements.length).toBeGreaterThan(10);
    expect(statements.filter((each) => javascript.includes(each))).toEqual([]);
    const started = [...bundle.chunks.values()].filter(({ isLazy }) => !isLazy);
    for (const each of [bundle.javascript, ...started.map(({ contents }) => contents)]) {
      expect(new TextDecoder().decode(each).includes("sentences.txt")).toBe(false);
    }
  });

  test("takes sentences out of strings and templates, and out of nothing else", () => {
    const found: string[] = [];
    const source = `// "SELECT a FROM b WHERE it is a comment"
const a = "SELECT a FROM b WHERE it is a string";
const b = { sql: \`SELECT a FROM \${of({ a: \`FROM \${a}\` })} AND the rest WHERE it is long\` };
const c = "SELECT it"; const d = 'SELECT " FROM b WHERE it is quoted so';
const e = \`SELECT a\\n FROM b WHERE it has an escape\`; const f = a / 2; /* \`and this is one\` */
const g = /["\`]/.test("SELECT a FROM b WHERE it is a string");
`;
    const { code, isChanged } = sentencesApart(source, found);
    expect(isChanged).toBe(true);
    expect(found).toEqual([
      "SELECT a FROM b WHERE it is a string",
      " AND the rest WHERE it is long",
      'SELECT " FROM b WHERE it is quoted so',
    ]);
    expect(code).toBe(`// "SELECT a FROM b WHERE it is a comment"
const a = sentences[0];
const b = { sql: \`SELECT a FROM \${of({ a: \`FROM \${a}\` })}\${sentences[1]}\` };
const c = "SELECT it"; const d = sentences[2];
const e = \`SELECT a\\n FROM b WHERE it has an escape\`; const f = a / 2; /* \`and this is one\` */
const g = /["\`]/.test(sentences[0]);
`);
    expect(sentencesApart("const a = b;", []).isChanged).toBe(false);
  });

  test("every module is what it was once its sentences are put back", async () => {
    const inputs = Object.keys(bundle.metafile.inputs);
    const paths = inputs.filter((path) => sourcesOfSentences.test(join(root, path)));
    const found: string[] = [];
    let changed = 0;
    for (const path of paths) {
      const source = readFileSync(join(root, path), "utf8");
      const { code, isChanged } = sentencesApart(source, found);
      if (!isChanged) continue;
      changed += 1;
      // Names for which esbuild, which reads the code for itself, has the texts.
      const put = code.replaceAll(/\bsentences\[(\d+)\]/g, "sentence_$1");
      const texts = found.map((text, index) => [`sentence_${index}`, JSON.stringify(text)]);
      const options = { loader: "ts", minifySyntax: true } as const;
      const given = await transform(source, options);
      const again = await transform(put, { ...options, define: Object.fromEntries(texts) });
      expect(again.code === given.code, path).toBe(true);
    }
    expect(changed).toBeGreaterThan(100);
  });

  test("starts with what stands before the objects alone", () => {
    const { inputs } = bundle.metafile.outputs["worker.js"] ?? { inputs: {} };
    const started = Object.keys(inputs).filter((path) => path.startsWith("src/"));
    expect(started).toContain("src/runtime/workerd/front.ts");
    expect(started.filter((path) => /^src\/(?:log|sql|meta|pipeline)\//.test(path))).toEqual([]);
  });

  test("its budget refuses what is too large or makes code", () => {
    const made = (text: string, wasmBytes = 0, lateBytes = 0): WorkerBundle => ({
      ...bundle,
      javascript: new TextEncoder().encode(text),
      chunks: new Map([["late.js", { contents: new Uint8Array(lateBytes), isLazy: true }]]),
      wasm: new Map([["a.wasm", new Uint8Array(wasmBytes)]]),
    });
    expect(budgetFaults(made("x".repeat(startBytesMax)))).toEqual([]);
    expect(budgetFaults(made("x".repeat(startBytesMax + 1)))).toHaveLength(1);
    expect(budgetFaults(made("x", 0, javascriptBytesMax - 1))).toEqual([]);
    expect(budgetFaults(made("x", 0, javascriptBytesMax))).toHaveLength(1);
    expect(budgetFaults(made("", wasmBytesMax + 1))).toHaveLength(1);
    for (const text of [
      'return new Function("x",y)',
      ";eval(text)",
      "await WebAssembly.compile(bytes)",
      "new WebAssembly.Module(bytes)",
    ]) {
      expect(budgetFaults(made(text)), text).toHaveLength(1);
    }
    expect(budgetFaults(made("state.eval(x);medieval(x);WebAssembly.Module.imports(m)"))).toEqual(
      [],
    );
  });
});

/** Sources of the bundle that import what matches. */
function filesFrom(...patterns: readonly RegExp[]): Set<string> {
  const entries = Object.entries(bundle.metafile.inputs).filter(
    ([path, { imports }]) =>
      path.startsWith("src/") &&
      imports.some((each) => patterns.some((pattern) => pattern.test(each.path))),
  );
  return new Set(entries.map(([path]) => path));
}

/** The names of all that the values have, of themselves or by their classes. */
function namesOf(...values: readonly object[] | readonly [string, ...object[]]): Set<string> {
  const names = new Set<string>();
  for (const value of values) {
    for (
      let at = Object(value);
      at !== null && at !== Object.prototype;
      at = Object.getPrototypeOf(at)
    ) {
      for (const name of Object.getOwnPropertyNames(at)) names.add(name);
    }
  }
  return names;
}

function calledIn(paths: readonly string[], pattern: RegExp): Set<string> {
  const found = paths.flatMap((path) => [
    ...readFileSync(join(root, path), "utf8").matchAll(pattern),
  ]);
  return new Set(found.map(([, name = ""]) => name));
}
