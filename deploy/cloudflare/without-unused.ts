import { readFileSync } from "node:fs";
import type { Plugin } from "esbuild";

interface Unused {
  readonly file: RegExp;
  readonly classes?: readonly string[];
  readonly functions?: readonly string[];
  readonly methods?: readonly string[];
}

/**
 * What libSQL's client has beside a batch in one request, which is all that the metadata asks of
 * it: transactions over several requests, cursors, descriptions, scripts.
 */
const unused: readonly Unused[] = [
  {
    file: /@libsql[\\/]client[\\/]lib-esm[\\/]http\.js$/,
    classes: ["HttpTransaction"],
    methods: ["execute", "migrate", "transaction", "executeMultiple", "sync", "reconnect"],
  },
  { file: /@libsql[\\/]client[\\/]lib-esm[\\/]hrana\.js$/, classes: ["HranaTransaction"] },
  { file: /@libsql[\\/]core[\\/]lib-esm[\\/]util\.js$/, methods: ["toJSON"] },
  {
    file: /hrana-client[\\/]lib-esm[\\/]batch\.js$/,
    functions: ["executeCursor"],
    methods: ["queryRow", "queryValue", "error", "and", "or", "isAutocommit"],
  },
  {
    file: /hrana-client[\\/]lib-esm[\\/]stream\.js$/,
    methods: ["query", "queryRow", "queryValue", "run", "#execute", "describe", "sequence"],
  },
  {
    file: /hrana-client[\\/]lib-esm[\\/]http[\\/]stream\.js$/,
    methods: [
      ...["client", "_execute", "_describe", "_sequence", "getAutocommit", "_openCursor"],
      ...["_cursorClosed", "#flushCursor", "#createCursorRequest"],
    ],
  },
  { file: /hrana-client[\\/]lib-esm[\\/]http[\\/]client\.js$/, methods: ["_ensureVersion"] },
  {
    file: /hrana-client[\\/]lib-esm[\\/]stmt\.js$/,
    methods: ["bindIndex", "bindName", "unbindAll"],
  },
  {
    file: /hrana-client[\\/]lib-esm[\\/]shared[\\/]json_decode\.js$/,
    functions: ["DescribeResult"],
  },
];

/** Empties parts of libraries that the Worker never calls; esbuild cannot know that of methods. */
export function withoutUnused(): Plugin {
  return {
    name: "without-unused",
    setup({ onLoad }) {
      for (const each of unused) {
        onLoad({ filter: each.file }, ({ path }) => {
          return { contents: emptied(readFileSync(path, "utf8"), each) };
        });
      }
    },
  };
}

/**
 * `source`, indented as tsc writes it, with the bodies of `unused` emptied. A name stays, since
 * others may mention it.
 * @throws Error where one is not there: the library has changed.
 */
export function emptied(source: string, { classes, functions, methods }: Omit<Unused, "file">) {
  const heads = [
    ...(classes ?? []).map((name) => `(?:export )?class ${name}(?: extends \\w+)?`),
    ...(functions ?? []).map((name) => `(?:export )?(?:async )?function ${name}\\(.*\\)`),
    ...(methods ?? []).map((name) => `(?:static )?(?:async )?${name}\\(.*\\)`),
  ];
  let text = source;
  for (const head of heads) {
    const whole = new RegExp(`^( *)(${head}) \\{\\n[^]*?^\\1\\}$`, "m");
    if (!whole.test(text)) throw new Error(`Cannot leave ${head} out: it is not there`);
    text = text.replace(whole, "$1$2 {}");
  }
  return text;
}
