import { describe, expect, test } from "bun:test";
import {
  budgetFaults,
  javascriptBytesMax,
  wasmBytesMax,
  weights,
} from "../../deploy/cloudflare/budget.ts";
import { bundleWorker, type WorkerBundle } from "../../deploy/cloudflare/bundle.ts";
import { undocumented } from "../../deploy/cloudflare/without-docs.ts";
import { workerEntry } from "../../deploy/cloudflare/worker-entry.ts";

const bundle = await bundleWorker({ entry: workerEntry, minify: true });

describe("the Worker's bundle", () => {
  test("keeps to its budget and makes no code while it runs", () => {
    expect(budgetFaults(bundle)).toEqual([]);
  });

  test("looks for no file beside itself, which would fail as it starts", () => {
    expect(new TextDecoder().decode(bundle.javascript)).not.toContain("import.meta");
  });

  test("holds no S3 client and no Arrow", () => {
    const foreign = weights(bundle).filter(([where]) =>
      /^(@aws-sdk|@smithy|apache-arrow)/.test(where),
    );
    expect(foreign).toEqual([]);
  });

  test("holds no sentence that only documents are made from", () => {
    const modules = [
      bundle.javascript,
      ...[...bundle.chunks.values()].map((each) => each.contents),
    ];
    const javascript = modules.map((each) => new TextDecoder().decode(each)).join("\n");
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

  test("its budget refuses what is too large or makes code", () => {
    const made = (text: string, wasmBytes = 0): WorkerBundle => ({
      ...bundle,
      javascript: new TextEncoder().encode(text),
      wasm: new Map([["a.wasm", new Uint8Array(wasmBytes)]]),
    });
    expect(budgetFaults(made("x".repeat(javascriptBytesMax + 1)))).toHaveLength(1);
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
