import { readFileSync } from "node:fs";
import type { Plugin } from "esbuild";
import { undocumented } from "./without-docs.ts";

const textName = "sentences.txt";
/** What an object runs; what starts with the Worker is to start without this text. */
export const sourcesOfSentences =
  /[\\/]src[\\/](?:group|log|meta|pipeline|segment|sql|server[\\/]kafka)[\\/].*\.ts$/;

/** Shorter ones are not worth the reference in their place. */
const lengthMin = 24;
/** Statements and messages are of several words; what is no language has no business here. */
const sentence = /\S .*\S .*\S/s;

/**
 * Puts statements and messages into a text beside the bundle, as with-tables.ts does with those
 * that have a module of their own: each long literal piece of a string or a template, so that what
 * is put between them stays code.
 */
export function withSentences(texts: Map<string, string>): Plugin {
  return {
    name: "with-sentences",
    setup({ onResolve, onLoad, onEnd }) {
      const found: string[] = [];
      onLoad({ filter: sourcesOfSentences }, ({ path }) => {
        const source = undocumented(readFileSync(path, "utf8"), false);
        const { code, isChanged } = sentencesApart(source, found);
        const head = isChanged ? `import { sentences } from "sentences:";` : "";
        return { loader: "ts", contents: head + code };
      });
      onResolve({ filter: /^sentences:$/ }, ({ path }) => ({ path, namespace: "sentences" }));
      onResolve({ filter: /^\.\/sentences\.txt$/ }, ({ path }) => ({ path, external: true }));
      onLoad({ filter: /./, namespace: "sentences" }, () => ({
        contents: `import text from "./${textName}";
export const sentences = JSON.parse(text);`,
      }));
      onEnd(({ outputFiles = [] }) => {
        if (outputFiles.some(({ text }) => text.includes(textName))) {
          texts.set(textName, JSON.stringify(found));
        }
      });
    },
  };
}

/** `source` with its sentences as elements of `sentences`; they are added to `found`. */
export function sentencesApart(
  source: string,
  found: string[],
): { readonly code: string; readonly isChanged: boolean } {
  let code = "";
  let end = 0;
  for (const { start, length, isWhole } of literalsOf(source)) {
    const piece = source.slice(start, start + length);
    // Escapes would have to be read; what is worth it has none.
    if (length < lengthMin || piece.includes("\\") || !sentence.test(piece)) continue;
    const known = found.indexOf(piece);
    const index = known < 0 ? found.push(piece) - 1 : known;
    const [from, to] = isWhole ? [start - 1, start + length + 1] : [start, start + length];
    const reference = `sentences[${index}]`;
    code += source.slice(end, from) + (isWhole ? reference : `\${${reference}}`);
    end = to;
  }
  return { code: code + source.slice(end), isChanged: end > 0 };
}

interface Literal {
  readonly start: number;
  readonly length: number;
  /** A string, or a template that nothing is put into; else a piece of a template. */
  readonly isWhole: boolean;
}

/** Up to its end, or up to what is put into it. */
const template = /(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{)/s.source;
/** What a quote or a brace within means nothing in, and braces. A division has a space behind. */
const token = [
  /\/\/[^\n]*/,
  /\/\*[\s\S]*?\*\//,
  /\/(?![ =])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//,
  /"(?:[^"\\\n]|\\.)*"/,
  /'(?:[^'\\\n]|\\.)*'/,
  /[{}]/,
]
  .map((each) => each.source)
  .join("|");

/** The literal pieces of strings and templates, in order. */
function* literalsOf(source: string): Generator<Literal> {
  // Of each open brace, whether it is one of a template.
  const braces: boolean[] = [];
  const tokens = new RegExp(`${token}|\`${template}`, "gs");
  const rest = new RegExp(template, "sy");
  for (let at = tokens.exec(source); at !== null; at = tokens.exec(source)) {
    const [text] = at;
    const start = at.index + 1;
    if (text === "{") braces.push(false);
    else if (/^["']/.test(text)) {
      yield { start, length: text.length - 2, isWhole: true };
    } else if (text.startsWith("`")) {
      const isWhole = text.endsWith("`");
      if (!isWhole) braces.push(true);
      yield { start, length: text.length - (isWhole ? 2 : 3), isWhole };
    } else if (text === "}" && braces.pop() === true) {
      rest.lastIndex = start;
      const [piece = ""] = rest.exec(source) ?? [];
      const isLast = piece.endsWith("`");
      if (!isLast) braces.push(true);
      yield { start, length: piece.length - (isLast ? 1 : 2), isWhole: false };
      tokens.lastIndex = start + piece.length;
    }
  }
}
