import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import fc from "fast-check";
import * as z from "zod";

const root = join(import.meta.dir, "../../../..");
/** Every module with shapes that the Worker has; `zod` shows what of it those may use. */
const modules = [
  "wire/http/queries",
  "wire/http/shapes",
  "wire/http/poll-shapes",
  "wire/http/sql-shapes",
  "wire/http/token-shapes",
  "wire/http/problem",
];

/** Shapes as no module of ours exports them, one of each kind that is used within one. */
const inner = `import * as z from "zod";
export const whole = z.number().int().nonnegative().nullable();
export const short = z.int32().nonnegative();
export const sizes = z.object({ memberId: z.string().min(2).max(3), list: z.array(z.int()).min(1) });
export const place = z.tuple([z.literal(1), z.string(), z.array(z.tuple([z.string(), z.int().min(-1)]))]);
export const binary = z.array(z.tuple([z.string(), z.base64()])).min(1);
export const committed = z.object({ watermark: z.int() }).nullable().default(null);
export const offOr = z.union([z.literal("off"), z.string().transform((given, context) => {
  if (given.startsWith("a")) return { given };
  context.addIssue({ code: "custom", message: "no", params: { reason: given } });
  return z.NEVER;
})]);
export const counted = z.string().regex(/^\\d{1,16}$/).transform(Number).refine((n) => n >= 3);
export const listed = z.object({ names: z.string().transform((list) => list.split(","))
  .refine((names) => names.every((name) => name !== "a"), { message: "none of a" }).optional(),
  fallback: z.enum(["on", "off"]).default("off").optional(), origins: z.array(z.string()).default([]) });
export const all = z.object({ name: z.string().optional(), list: z.array(z.int()).default([]) }).required();
export const open = z.looseObject({ title: z.string(), more: z.unknown() });`;

type Shapes = Readonly<Record<string, z.ZodType>>;
type Library = Pick<typeof z, "prettifyError"> & { readonly shapes: Shapes };

async function withZod(alias: Record<string, string>): Promise<Library> {
  const exports = modules.map((each) => `export * from "${root}/src/${each}.ts";`);
  const text = `export * as shapes from "shapes"; export { prettifyError } from "zod";`;
  const { outputFiles } = await build({
    stdin: { contents: text, resolveDir: root },
    ...{ bundle: true, write: false, format: "esm", alias },
    logOverride: { "import-is-undefined": "error" },
    plugins: [
      {
        name: "shapes",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^(shapes|inner)$/ }, ({ path }) => ({ path, namespace: "made" }));
          onLoad({ filter: /^shapes$/, namespace: "made" }, () => ({
            contents: [...exports, `export * from "inner";`].join("\n"),
            resolveDir: root,
          }));
          onLoad({ filter: /^inner$/, namespace: "made" }, () => ({
            contents: inner,
            resolveDir: root,
          }));
        },
      },
    ],
  });
  const folder = mkdtempSync(join(tmpdir(), "millrace-shapes-"));
  try {
    const file = join(folder, "shapes.mjs");
    await Bun.write(file, outputFiles[0]?.contents ?? "");
    return (await import(file)) as Library;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const theirs = await withZod({});
const ours = await withZod({ zod: join(root, "src/runtime/workerd/small-zod.ts") });
const names = Object.entries(theirs.shapes)
  .filter(([, each]) => each instanceof Object && "safeParse" in each)
  .map(([name]) => name);

/** What a shape makes of a value, as far as anybody looks at it. */
function outcome({ shapes, prettifyError }: Library, name: string, value: unknown) {
  const result = shapes[name]?.safeParse(value);
  if (result?.success) return { data: result.data };
  const error = result?.error;
  if (error === undefined) throw new Error(`There is no shape ${name}`);
  const issues = error.issues.map((issue) => {
    const { code, message, path } = issue;
    const keys = issue.code === "unrecognized_keys" ? issue.keys : undefined;
    const params = issue.code === "custom" ? issue.params : undefined;
    return { code, message, path, keys, params };
  });
  return { issues, pretty: prettifyError(error) };
}

type Schema = z.core.JSONSchema.BaseSchema;

/** Values that a shape takes, more or less, by its JSON Schema. */
function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined)
    return fc.oneof(...schema.anyOf.map((each) => valuesOf(each as Schema)));
  switch (schema.type) {
    case "string":
      return textsOf(schema);
    case "integer":
    case "number":
      return fc.oneof(
        fc.integer({ min: -2, max: 4 }),
        fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 9, 2 ** 31 - 1) }),
      );
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return arraysOf(schema);
    case "object":
      return objectsOf(schema);
    default:
      return fc.jsonValue({ maxDepth: 1 });
  }
}

function textsOf({ pattern, contentEncoding }: Schema): fc.Arbitrary<string> {
  const any = fc.oneof(
    fc.string({ maxLength: 6, unit: "grapheme" }),
    fc.constantFrom("3", "abc", "a,b"),
  );
  if (contentEncoding === "base64") return fc.oneof(fc.base64String({ maxLength: 8 }), any);
  return pattern === undefined ? any : fc.oneof(fc.stringMatching(new RegExp(pattern)), any);
}

function arraysOf({ items, prefixItems }: Schema): fc.Arbitrary<unknown[]> {
  if (Array.isArray(prefixItems)) {
    return fc.tuple(...prefixItems.map((each) => valuesOf(each as Schema)));
  }
  return fc.array(valuesOf((items ?? {}) as Schema), { maxLength: 3 });
}

function objectsOf({ properties, additionalProperties, required }: Schema): fc.Arbitrary<unknown> {
  if (properties === undefined) {
    const values = valuesOf((additionalProperties || {}) as Schema);
    return fc.dictionary(fc.string({ maxLength: 3 }), values, { maxKeys: 3 });
  }
  const fields = Object.entries(properties).map(([key, each]) => [key, valuesOf(each as Schema)]);
  return fc.record(Object.fromEntries(fields), { requiredKeys: (required ?? []) as never[] });
}

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, undefined, "", "a", [], [1], {}, { length: 1 }, 0.5, -1, 1e17, -1e17, true),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "𝒳𝒳", "\ud835", "x".repeat(300)),
  fc.jsonValue({ maxDepth: 2 }),
);

/** The value with something in it taken away, put in or replaced. */
function spoiled(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc
    .tuple(values, fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), odd, fc.nat({ max: 2 }))
    .map(([value, path, replacement, how]) =>
      spoil(structuredClone(value), path, replacement, how),
    );
}

function spoil(value: unknown, path: number[], replacement: unknown, how: number): unknown {
  const [step = 0, ...rest] = path;
  if (typeof value !== "object" || value === null || path.length === 0) return replacement;
  const keys = Object.keys(value);
  const key = keys[step % (keys.length + 1)];
  const target = value as Record<string, unknown>;
  if (key === undefined) {
    if (Array.isArray(value)) value.push(replacement);
    else target[how === 0 ? "__proto__x" : "other"] = replacement;
  } else if (rest.length === 0 && how === 0 && !Array.isArray(value)) delete target[key];
  else target[key] = spoil(target[key], rest, replacement, how);
  return value;
}

describe("the Worker's zod", () => {
  test.each(names)("reads and refuses %s as zod does", (name) => {
    const shape = theirs.shapes[name] as z.ZodType;
    const values = valuesOf(z.toJSONSchema(shape, { io: "input", unrepresentable: "any" }));
    fc.assert(
      fc.property(fc.oneof(values, spoiled(values), odd), (value) => {
        expect(outcome(ours, name, value)).toEqual(outcome(theirs, name, value));
      }),
      { numRuns: 200, examples: [[{ length: -1 }]] },
    );
  });

  test("refuses with an error that says what was wrong", () => {
    const messages = [ours, theirs].map(({ shapes }) => {
      try {
        return shapes["short"]?.parse("one");
      } catch (error) {
        return error instanceof Error ? [error.name, JSON.parse(error.message)[0].message] : error;
      }
    });
    expect(messages[0]).toEqual(messages[1]);
  });
});
