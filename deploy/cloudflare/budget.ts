/** What a bundle of the Worker must keep to; `npm run build:worker` fails where it does not. */
import type { WorkerBundle } from "./bundle.ts";

/** All of it: what starts with the Worker, and what loads with an object or a Kafka client. */
export const javascriptBytesMax = 1_000_000;
/** What starts with the Worker: each kilobyte is parsed at every cold start. */
export const startBytesMax = 100_000;
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
  const { javascript, lazy, wasm } = sizesOf(bundle);
  const modules = [bundle.javascript, ...[...bundle.chunks.values()].map((each) => each.contents)];
  const text = modules.map((each) => new TextDecoder().decode(each)).join("\n");
  const all = javascript + lazy;
  return [
    ...(all > javascriptBytesMax
      ? [`The JavaScript is ${all} bytes, ${javascriptBytesMax} are allowed`]
      : []),
    ...(javascript > startBytesMax
      ? [`What starts is ${javascript} bytes, ${startBytesMax} are allowed`]
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

export interface BundleSizes {
  /** What starts with the Worker. */
  readonly javascript: number;
  /** What is loaded when it is asked for. */
  readonly lazy: number;
  readonly wasm: number;
  /** Tables and documents, which are data. */
  readonly texts: number;
}

export function sizesOf(bundle: WorkerBundle): BundleSizes {
  const wasm = [...bundle.wasm.values()].reduce((sum, { length }) => sum + length, 0);
  const chunks = [...bundle.chunks.values()];
  const bytesOf = (isLazy: boolean) =>
    chunks
      .filter((each) => each.isLazy === isLazy)
      .reduce((sum, each) => sum + each.contents.length, 0);
  const texts = [...bundle.texts.values()].reduce((sum, each) => sum + Buffer.byteLength(each), 0);
  const javascript = bundle.javascript.length + bytesOf(false);
  return { javascript, lazy: bytesOf(true), wasm, texts };
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
