import { join } from "node:path";
import type { Plugin } from "esbuild";
import { version } from "../../src/runtime/node/version.ts";

const runtime = join(import.meta.dir, "../../src/runtime/workerd");

/** Modules that the Worker has no use for, and what refuses or does the same in their place. */
const modules: readonly (readonly [filter: RegExp, standIn: string])[] = [
  [/[\\/]arrow[\\/]ipc-stream\.ts$/, join(runtime, "../../arrow/small-ipc-stream.ts")],
  [/[\\/]lost-bytes\.ts$/, join(runtime, "no-cuts.ts")],
  // One router instead of three.
  [/^hono$/, join(runtime, "small-hono.ts")],
  [/^zod$/, join(runtime, "small-zod.ts")],
  // Of @libsql/client what is not HTTP and JSON.
  [/^@libsql\/isomorphic-ws$/, join(runtime, "http-only.ts")],
  [/^\.\/(?:ws|ws\/client|ws\/stream|http\/cursor|cursor)\.js$/, join(runtime, "http-only.ts")],
  [/(?:^|[\\/])protobuf(?:[\\/_](?:en|de)code)\.js$/, join(runtime, "http-only.ts")],
  [/^js-base64$/, join(runtime, "small-base64.ts")],
];

/** Leaves them, and all that only they import, out of the bundle. */
export function standIns(): Plugin {
  return {
    name: "stand-ins",
    setup({ onResolve, onLoad }) {
      // Of the whole manifest only that is asked for.
      onLoad({ filter: /[\\/]package\.json$/ }, () => ({
        loader: "json",
        contents: JSON.stringify({ version }),
      }));
      for (const [filter, path] of modules) onResolve({ filter }, () => ({ path }));
    },
  };
}
