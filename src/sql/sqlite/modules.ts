/**
 * The WebAssembly that the query engine runs on, compiled by the runtime: Bun and Deno read files,
 * workerd takes static imports. `sqlite3` is `@sqlite.org/sqlite-wasm/sqlite3.wasm`, the others
 * are `wasm/build/sql/<name>.wasm`.
 */
export const sqlKernelNames = [
  "aggregate",
  "checksum",
  "collect",
  "emit",
  "functions",
  "json",
  "lateness",
  "keep",
  "session",
  "table",
  "vector",
  "vfs",
  "walk",
] as const;

export type SqlKernelName = (typeof sqlKernelNames)[number];

export type SqlModules = Readonly<Record<SqlKernelName | "sqlite3", WebAssembly.Module>>;
