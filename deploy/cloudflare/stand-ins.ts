import { join } from "node:path";
import type { Plugin } from "esbuild";

const runtime = join(import.meta.dir, "../../src/runtime/workerd");

/** Modules that the Worker has no use for, and what refuses or does the same in their place. */
const modules: readonly (readonly [filter: RegExp, standIn: string])[] = [
  [/[\\/]arrow[\\/]ipc-stream\.ts$/, join(runtime, "no-arrow.ts")],
  [/[\\/]lost-bytes\.ts$/, join(runtime, "no-cuts.ts")],
  [/[\\/]protobuf[\\/_](?:en|de)code\.js$/, join(runtime, "no-protobuf.ts")],
  // One router instead of three.
  [/^hono$/, join(runtime, "small-hono.ts")],
  [/^zod$/, join(runtime, "small-zod.ts")],
  [/^js-base64$/, join(runtime, "small-base64.ts")],
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
