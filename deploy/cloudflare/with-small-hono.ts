import { join } from "node:path";
import type { Plugin } from "esbuild";

const standIn = join(import.meta.dir, "../../src/runtime/workerd/small-hono.ts");

/** Takes hono with one router instead of three. */
export function withSmallHono(): Plugin {
  return {
    name: "with-small-hono",
    setup({ onResolve }) {
      onResolve({ filter: /^hono$/ }, () => ({ path: standIn }));
    },
  };
}
