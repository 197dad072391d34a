/**
 * Replaces the one function of apache-arrow that makes code from text, which workerd refuses: the
 * test for null values of its Builders. A Set knows them by the same rules, NaN included.
 */
import type { Plugin } from "esbuild";

const replacement = `
export function createIsValidFunction(nullValues) {
  const nulls = new Set(nullValues ?? []);
  return (value) => !nulls.has(value);
}
`;

export function evalFreeArrow(): Plugin {
  return {
    name: "eval-free-arrow",
    setup({ onLoad }) {
      onLoad({ filter: /apache-arrow[\\/]builder[\\/]valid\.m?js$/ }, () => ({
        contents: replacement,
        loader: "js",
      }));
    },
  };
}
