import { join } from "node:path";
import type { Plugin } from "esbuild";

const standIn = join(import.meta.dir, "../../src/runtime/workerd/no-arrow.ts");

/** Leaves apache-arrow out of the bundle; whoever asks for Arrow is told so. */
export function withoutArrow(): Plugin {
  return {
    name: "without-arrow",
    setup({ onResolve }) {
      onResolve({ filter: /[\\/]arrow[\\/]ipc-stream\.ts$/ }, () => ({ path: standIn }));
    },
  };
}
