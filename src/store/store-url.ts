/**
 * The `--store` setting: `file:DIR`, `memory:` or
 * `s3://bucket/prefix?endpoint=http://…&region=…&path-style=true`.
 */
import { StreamError } from "../base/stream-error.ts";
import { checkKey } from "./object-keys.ts";

export type StoreUrl =
  | { readonly kind: "memory" }
  | { readonly kind: "folder"; readonly directory: string }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      /** Without slashes at its ends; empty for none. */
      readonly prefix: string;
      readonly endpoint: string | undefined;
      /** Undefined when neither said nor given by the endpoint's kind: take AWS_REGION. */
      readonly region: string | undefined;
      readonly pathStyle: boolean;
      readonly checksums: boolean;
    };

const forms =
  'use "file:DIR", "memory:" or "s3://bucket/prefix?endpoint=http://…&region=…&path-style=true"';

/** Errors: `invalid_config` that names the part and what is allowed. */
export function parseStoreUrl(text: string): StoreUrl {
  if (text === "memory:") return { kind: "memory" };
  if (text.startsWith("file:")) return { kind: "folder", directory: directoryOf(text) };
  if (text.startsWith("s3://")) return parseS3(text);
  throw refused(text, forms);
}

function directoryOf(text: string): string {
  const rest = text.slice("file:".length);
  if (rest.startsWith("//") && !rest.startsWith("///")) {
    throw refused(text, 'a folder is "file:DIR" or "file:///DIR", without a host');
  }
  const path = rest.startsWith("///") ? decoded(text, rest.slice(2)) : rest;
  const directory = path.length > 1 ? path.replace(/\/+$/, "") : path;
  if (directory === "" || directory === "/") throw refused(text, "name a folder after file:");
  return directory;
}

function parseS3(text: string): StoreUrl {
  const [place = "", query = "", ...more] = text.slice("s3://".length).split("?");
  if (more.length > 0) throw refused(text, "it has two question marks");
  const slash = place.indexOf("/");
  const bucket = slash === -1 ? place : place.slice(0, slash);
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw refused(text, "a bucket name is 3 to 63 characters of a-z 0-9 . and -");
  }
  const prefix = slash === -1 ? "" : place.slice(slash).replace(/^\/+|\/+$/g, "");
  if (prefix !== "") checkPrefix(text, prefix);
  const settings = settingsOf(text, query);
  const endpoint = endpointOf(text, settings.get("endpoint"));
  const region = settings.get("region");
  if (region !== undefined && !/^[a-z0-9-]+$/.test(region)) {
    throw refused(text, `region=${region} is no region; write it like region=eu-central-1`);
  }
  return {
    kind: "s3",
    bucket,
    prefix,
    endpoint,
    region,
    // Amazon wants the bucket in the host name; what runs elsewhere often has only one name.
    pathStyle: flag(text, settings, "path-style") ?? endpoint !== undefined,
    checksums: flag(text, settings, "checksums") ?? true,
  };
}

const settingNames = ["endpoint", "region", "path-style", "checksums"];

function settingsOf(text: string, query: string): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (!settingNames.includes(name)) {
      throw refused(text, `"${name}" is not among ${settingNames.join(", ")}`);
    }
    if (settings.has(name)) throw refused(text, `"${name}" stands twice`);
    settings.set(name, value);
  }
  return settings;
}

function endpointOf(text: string, endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) return undefined;
  const url = URL.parse(endpoint);
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === null || !isHttp || url.search !== "" || url.username !== "") {
    throw refused(text, `endpoint=${endpoint} is not like http://host:port`);
  }
  return endpoint.replace(/\/+$/, "");
}

function flag(text: string, settings: Map<string, string>, name: string): boolean | undefined {
  const value = settings.get(name);
  if (value === undefined) return undefined;
  if (value === "true" || value === "false") return value === "true";
  throw refused(text, `${name}=${value} is neither true nor false`);
}

function checkPrefix(text: string, prefix: string): void {
  try {
    checkKey(prefix);
  } catch (error) {
    throw refused(text, error instanceof Error ? error.message : String(error));
  }
}

function decoded(text: string, path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw refused(text, "it has a % that begins no escape");
  }
}

function refused(text: string, why: string): StreamError {
  return new StreamError("invalid_config", `Cannot use "${text}" as a store: ${why}`, {
    details: { field: "store", value: text },
  });
}
