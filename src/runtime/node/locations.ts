/** The addresses of stores and metadata databases, as users write them. */

export type StoreLocation =
  | { readonly kind: "memory" }
  | { readonly kind: "folder"; readonly directory: string }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      /** Without slashes at its ends; empty for the bucket's root. */
      readonly prefix: string;
      readonly endpoint: string | undefined;
      readonly region: string | undefined;
      readonly pathStyle: boolean;
    };

export type MetadataLocation =
  | { readonly kind: "memory" }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "server"; readonly url: string };

/** Reads `file:DIR`, `memory:` or `s3://bucket/prefix?…`; undefined when it is none of these. */
export function parseStoreUrl(given: string): StoreLocation | undefined {
  if (given === "memory:") return { kind: "memory" };
  if (given.startsWith("file:")) {
    const directory = filePath(given);
    return directory === undefined ? undefined : { kind: "folder", directory };
  }
  return given.startsWith("s3://") && URL.canParse(given) ? s3Location(new URL(given)) : undefined;
}

/** Reads `file:PATH`, `memory:`, `http(s)://…` or `libsql://…`. */
export function parseMetadataUrl(given: string): MetadataLocation | undefined {
  if (given === "memory:") return { kind: "memory" };
  if (given.startsWith("file:")) {
    const path = filePath(given);
    return path === undefined ? undefined : { kind: "file", path };
  }
  if (!/^(?:https?|libsql):\/\//.test(given) || !URL.canParse(given)) return undefined;
  return { kind: "server", url: given };
}

/** The path in `file:PATH`, `file:/PATH` and `file:///PATH`. */
function filePath(given: string): string | undefined {
  const rest = given.slice("file:".length);
  const path = rest.startsWith("///") ? rest.slice(2) : rest;
  return path === "" || path.startsWith("//") ? undefined : path.replace(/(?<=.)\/+$/, "");
}

const s3Parameters: ReadonlySet<string> = new Set(["endpoint", "region", "path-style"]);

function s3Location(url: URL): StoreLocation | undefined {
  const parameters = url.searchParams;
  const unknown = [...parameters.keys()].some((name) => !s3Parameters.has(name));
  const endpoint = parameters.get("endpoint") ?? undefined;
  const pathStyle = parameters.get("path-style") ?? "false";
  const endpointFault = endpoint !== undefined && !/^https?:\/\/[^/]/.test(endpoint);
  const hasCredentials = url.username !== "" || url.password !== "" || url.port !== "";
  if (unknown || endpointFault || hasCredentials || url.hostname === "") return undefined;
  if (pathStyle !== "true" && pathStyle !== "false") return undefined;
  return {
    kind: "s3",
    bucket: url.hostname,
    prefix: decodeURIComponent(url.pathname).replaceAll(/^\/+|\/+$/g, ""),
    endpoint,
    region: parameters.get("region") ?? undefined,
    pathStyle: pathStyle === "true",
  };
}

/** The address as a user would write it; it holds no secret. */
export function showStore(store: StoreLocation): string {
  switch (store.kind) {
    case "memory":
      return "memory:";
    case "folder":
      return `file:${store.directory}`;
    case "s3": {
      const slash = store.prefix === "" ? "" : "/";
      const at = store.endpoint === undefined ? "" : ` at ${store.endpoint}`;
      return `s3://${store.bucket}${slash}${store.prefix}${at}`;
    }
  }
}
