/** Modules that threads begin with, for Bun and Deno. The single binary has a table of its own. */
const files = {
  "task-worker": new URL("./task-worker.ts", import.meta.url),
  "view-worker": new URL("./view-worker.ts", import.meta.url),
  "inflate-worker": new URL("./inflate-worker.ts", import.meta.url),
  "libsql-file-worker": new URL("./libsql-file-worker.ts", import.meta.url),
};

export type ThreadName = keyof typeof files;

export function threadFile(name: ThreadName): URL {
  return files[name];
}
