import { readFileSync } from "node:fs";
import type { Plugin } from "esbuild";

const oneString = /"(?:[^"\\\n]|\\.)*"|`[^`$\\]*`/.source;
const text = `(?:${oneString})(?:\\s*\\+\\s*(?:${oneString}))*`;
const described = new RegExp(`\\.describe\\(\\s*${text},?\\s*\\)`, "g");
const documented = new RegExp(`\\bdoc:\\s*${text}`, "g");
/** Making a shape does nothing else, so that one which only documents tell of can go. */
const shaped = /^((?:export )?const \w+ = )z\b/gm;
/** What OpenAPI calls a shape, and says of it. */
const named = /\.meta\(\{[^{}]*\}\)/g;
const routed = new RegExp(`\\b(details|summary|what):\\s*${text}`, "g");

/**
 * Blanks the sentences of our own tables that only documents are made from: what a function does,
 * what a setting or a field of a request means. The Worker answers its OpenAPI document from a
 * text, and nothing else reads them there.
 */
export function withoutDocs(): Plugin {
  return {
    name: "without-docs",
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
        const source = readFileSync(path, "utf8");
        const isHttp = /[\\/]wire[\\/]http[\\/]/.test(path);
        return { loader: "ts", contents: undocumented(source, isHttp) };
      });
    },
  };
}

/** `source` with its sentences blanked; its code, and its lines, stay as they are. */
export function undocumented(source: string, isHttp: boolean): string {
  const short = source.replace(described, blankLines).replace(documented, blanked("doc"));
  if (!isHttp) return short;
  const served = short.replace(routed, (given, name: string) => blanked(name)(given));
  return served.replace(shaped, "$1/* @__PURE__ */ z").replace(named, blankMeta);
}

function blanked(name: string): (given: string) => string {
  return (given) => `${name}: ""${blankLines(given)}`;
}

function blankMeta(given: string): string {
  return `.meta({${blankLines(given)}})`;
}

function blankLines(given: string): string {
  return "\n".repeat(given.split("\n").length - 1);
}
