/** What a bundle of the Worker must keep to; `npm run build:worker` fails where it does not. */
import type { WorkerBundle } from "./bundle.ts";

/** Cloudflare takes more, but each kilobyte is parsed at every cold start. */
export const javascriptBytesMax = 1_000_000;
export const wasmBytesMax = 1_200_000;

/** What workerd refuses in a handler. */
const forbidden: readonly RegExp[] = [
  /\bnew Function\b/,
  /[^.\w$]eval\(/,
  /\bWebAssembly\.(?:compile|compileStreaming|instantiateStreaming)\b/,
  /\bnew WebAssembly\.Module\b/,
];

/** What is wrong with the bundle, a sentence each; none: it may be deployed. */
export function budgetFaults(bundle: WorkerBundle): string[] {
  const { javascript, wasm } = sizesOf(bundle);
  const text = new TextDecoder().decode(bundle.javascript);
  return [
    ...(javascript > javascriptBytesMax
      ? [`The JavaScript is ${javascript} bytes, ${javascriptBytesMax} are allowed`]
      : []),
    ...(wasm > wasmBytesMax
      ? [`The WebAssembly is ${wasm} bytes, ${wasmBytesMax} are allowed`]
      : []),
    ...forbidden.flatMap((pattern) => {
      const met = pattern.exec(text);
      if (met === null) return [];
      const around = text.slice(Math.max(0, met.index - 60), met.index + 60);
      return [`The JavaScript makes code while it runs: …${around}…`];
    }),
  ];
}

export function sizesOf(bundle: WorkerBundle): { javascript: number; wasm: number } {
  const wasm = [...bundle.wasm.values()].reduce((sum, { length }) => sum + length, 0);
  return { javascript: bundle.javascript.length, wasm };
}

/** Bytes of the JavaScript by package or folder of src, the heaviest first. */
export function weights({ metafile }: WorkerBundle): [where: string, bytes: number][] {
  const bytesOf = new Map<string, number>();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
      const where = name ?? /src\/[^/]+/.exec(path)?.[0] ?? path;
      bytesOf.set(where, (bytesOf.get(where) ?? 0) + bytesInOutput);
    }
  }
  return [...bytesOf].sort(([, left], [, right]) => right - left);
}
