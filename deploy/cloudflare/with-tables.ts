import { basename, join } from "node:path";
import type { Plugin } from "esbuild";

const source = join(import.meta.dir, "../../src");

/** Modules of nothing but tables and statements, by the text that holds them. */
const tables: readonly (readonly [text: string, modules: RegExp])[] = [
  ["kafka.txt", /[\\/]kafka[\\/](?:api[\\/][\w-]+|error-code|error-names)\.ts$/],
  ["errors.txt", /[\\/]http[\\/]error-map\.ts$/],
  ["metadata.txt", /[\\/]meta[\\/](?:schema|[\w-]+-statements)\.ts$/],
  ["words.txt", /[\\/]sql[\\/]syntax[\\/]keywords\.ts$/],
];

/**
 * Puts long tables beside the bundle as texts of JSON, which are read faster than code is, and not
 * before a module with one of them is loaded. They are made from the modules themselves, when the
 * bundle is made; what is no data in one of those fails the build.
 */
export function withTables(texts: Map<string, string>): Plugin {
  return {
    name: "with-tables",
    setup({ onResolve, onLoad, onEnd }) {
      const found = new Map<string, Map<string, unknown>>();
      for (const [text, modules] of tables) {
        const held = new Map<string, unknown>();
        found.set(text, held);
        onLoad({ filter: modules }, async ({ path }) => {
          if (!path.startsWith(source)) return undefined;
          const exported = Object.entries((await import(path)) as object);
          const lines = exported.map(([name, value]) => {
            const key = `${basename(path, ".ts")}.${name}`;
            held.set(key, plainOf(value, key));
            return `export const ${name} = ${reading(value, key)};`;
          });
          return { contents: [`import { at } from "tables:${text}";`, ...lines].join("\n") };
        });
      }
      onResolve({ filter: /^tables:/ }, ({ path }) => ({ path, namespace: "tables" }));
      onResolve({ filter: /^\.\/(?:errors|kafka|metadata|words)\.txt$/ }, ({ path }) => ({
        path,
        external: true,
      }));
      onLoad({ filter: /./, namespace: "tables" }, ({ path }) => ({
        contents: `import text from "./${path.slice("tables:".length)}";
const all = JSON.parse(text);
export const at = (key) => all[key];`,
      }));
      onEnd(({ outputFiles = [] }) => {
        const code = outputFiles.map((each) => each.text).join("\n");
        for (const [text, held] of found) {
          const used = [...held].filter(([key]) => code.includes(`"${key}"`));
          if (used.length > 0) texts.set(text, JSON.stringify(Object.fromEntries(used)));
        }
      });
    },
  };
}

/** How the value is made of what stands in the text; nothing where nobody asks for it. */
function reading(value: unknown, key: string): string {
  const read = `/* @__PURE__ */ at("${key}")`;
  if (value instanceof Map) return `/* @__PURE__ */ new Map(${read})`;
  return value instanceof Set ? `/* @__PURE__ */ new Set(${read})` : read;
}

/** @throws Error where the value would not come back from JSON as it was. */
function plainOf(value: unknown, key: string): unknown {
  const plain = value instanceof Map || value instanceof Set ? [...value] : value;
  const text = JSON.stringify(plain);
  if (text === undefined || !Bun.deepEquals(JSON.parse(text), plain)) {
    throw new Error(`${key} is no data, and cannot lie in a text beside the Worker's bundle`);
  }
  return plain;
}
