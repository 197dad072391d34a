/** Where threads begin: for Bun and Deno. The single binary brings a table of its own. */
export type ThreadName = "task-worker" | "view-worker" | "inflate-worker" | "libsql-file-worker";

/** The module that a new thread runs. */
export function threadFile(name: ThreadName): URL {
  return new URL(`./${name}.ts`, import.meta.url);
}
