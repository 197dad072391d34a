import { join } from "node:path";
import type { Plugin } from "esbuild";

const runtime = join(import.meta.dir, "../../src/runtime/workerd");

/** Modules that the Worker has no use for, and what refuses or does the same in their place. */
const modules: readonly (readonly [filter: RegExp, standIn: string])[] = [
  [/[\\/]arrow[\\/]ipc-stream\.ts$/, join(runtime, "no-arrow.ts")],
  [/[\\/]cold-groups\.ts$/, join(runtime, "no-cold-groups.ts")],
  [/[\\/]lost-bytes\.ts$/, join(runtime, "no-cuts.ts")],
  // One router instead of three.
  [/^hono$/, join(runtime, "small-hono.ts")],
];

/** Leaves them, and all that only they import, out of the bundle. */
export function standIns(): Plugin {
  return {
    name: "stand-ins",
    setup({ onResolve }) {
      for (const [filter, path] of modules) onResolve({ filter }, () => ({ path }));
    },
  };
}
