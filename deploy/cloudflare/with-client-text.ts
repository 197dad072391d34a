import { readFileSync } from "node:fs";
import type { Plugin } from "esbuild";
import { clientScriptFile } from "../../src/runtime/node/data-files.ts";

const textName = "client.txt";

/** Puts `/client.js` beside the bundle as a text: it is no code of the Worker's own. */
export function withClientText(texts: Map<string, string>): Plugin {
  return {
    name: "with-client-text",
    setup({ onResolve, onLoad }) {
      const name = "client-text";
      onResolve({ filter: /[\\/]client-text\.ts$/ }, () => ({ path: name, namespace: name }));
      onResolve({ filter: /^\.\/client\.txt$/ }, ({ path }) => ({ path, external: true }));
      onLoad({ filter: /./, namespace: name }, () => {
        texts.set(textName, readFileSync(clientScriptFile(), "utf8"));
        const contents = `import text from "./${textName}";
export const clientText = () => text;`;
        return { contents };
      });
    },
  };
}
