/** Where the metadata lies, as users write it. */

export type MetadataLocation =
  | { readonly kind: "memory" }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "server"; readonly url: string };

/** Reads `file:PATH`, `memory:`, `http(s)://…` or `libsql://…`; undefined when it is none. */
export function parseMetadataUrl(given: string): MetadataLocation | undefined {
  if (given === "memory:") return { kind: "memory" };
  if (given.startsWith("file:")) {
    const rest = given.slice("file:".length);
    const path = rest.startsWith("///") ? rest.slice(2) : rest;
    const isPath = path !== "" && !path.startsWith("//") && !path.endsWith("/");
    return isPath ? { kind: "file", path } : undefined;
  }
  if (!/^(?:https?|libsql):\/\/[^/]/.test(given) || !URL.canParse(given)) return undefined;
  const { username, password, search } = new URL(given);
  // A token has a variable of its own: here it would be printed with the address.
  return username === "" && password === "" && search === ""
    ? { kind: "server", url: given }
    : undefined;
}
