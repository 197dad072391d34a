/**
 * Files beside the code that are read and not imported: for Bun and Deno. The single binary brings
 * a table of its own. Nothing is found before it is asked for: in a Worker's bundle, which has
 * parts of this folder, a module has no address.
 */

/** What `npm run build:client` makes; committed, so that a server needs no build. */
export function clientScriptFile(): URL {
  return new URL("../../client/build/client.min.js", import.meta.url);
}

/** A committed kernel, such as `crc32c` or `sql/emit`. */
export function kernelFile(name: string): URL {
  return new URL(`../../../wasm/build/${name}.wasm`, import.meta.url);
}

export function sqliteFile(): URL {
  return new URL(import.meta.resolve("@sqlite.org/sqlite-wasm/sqlite3.wasm"));
}
