/** The kinds of values that options take: each builds an Option with its schema and wording. */
import * as z from "zod";
import type { Option } from "./options.ts";

type Described = Pick<Option<unknown>, "short" | "env" | "envOnly" | "doc" | "fallbackShown">;

/** Adds undefined to the type where nothing is the default. */
type Given<T, D> = D extends { readonly fallback: string } ? T : T | undefined;

type WithDefault = Described & { readonly fallback?: string };

/** Builds an option from a schema whose failures all mean "expected `allowed`". */
export function option<T, const D extends WithDefault>(
  value: string,
  allowed: string,
  schema: z.ZodType<T, string>,
  described: D,
): Option<Given<T, D>> {
  return { ...described, value, allowed, schema: schema as z.ZodType<unknown, string> } as Option<
    Given<T, D>
  >;
}

/** An option without a value: absent is false. As a variable it takes on or off. */
export function toggle(described: Described): Option<boolean> {
  return { ...described, allowed: "on or off", fallback: "off", schema: onOffSchema };
}

const onOffSchema = z
  .enum(["on", "off", "true", "false", "1", "0"])
  .transform((text) => text === "on" || text === "true" || text === "1") as z.ZodType<
  boolean,
  string
>;

export function onOff<const D extends WithDefault>(described: D) {
  return option("on|off", "on or off", onOffSchema, described);
}

export function text<const D extends WithDefault>(value: string, described: D) {
  const allowed = `${/^[AEIOU]/.test(value) ? "an" : "a"} ${value.toLowerCase()}`;
  return option(value, allowed, z.string().min(1), described);
}

/** Any text, the empty one included. */
export function content<const D extends WithDefault>(value: string, described: D) {
  return option(value, "text", z.string(), described);
}

export function oneOf<const C extends readonly string[], const D extends WithDefault>(
  choices: C,
  described: D,
) {
  const schema = z.enum(choices) as unknown as z.ZodType<C[number], string>;
  return option(choices.join("|"), oneOfWords(choices), schema, described);
}

/** `a, b or c`. */
function oneOfWords(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

export interface Bounds {
  readonly min: number;
  readonly max?: number;
}

/** A whole number. */
export function count<const D extends WithDefault>(value: string, bounds: Bounds, described: D) {
  const max = bounds.max ?? Number.MAX_SAFE_INTEGER;
  const schema = z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .refine((number) => number >= bounds.min && number <= max);
  const range = bounds.max === undefined ? `of at least ${bounds.min}` : "";
  const span = bounds.max === undefined ? range : `from ${bounds.min} to ${bounds.max}`;
  return option(value, `a whole number ${span}`, schema, described);
}

const unitBytes: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  tb: 1000 ** 4,
};

/** Reads `8MiB`, `64 MB`, `1.5GiB` or plain bytes; undefined when it is none of these. */
export function parseBytes(given: string): number | undefined {
  const match = /^(\d{1,16}(?:\.\d{1,6})?) ?([a-z]{0,3})$/i.exec(given);
  const unit = unitBytes[(match?.[2] ?? "?").toLowerCase()];
  if (match === null || unit === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `8388608` → `8MiB`; plain bytes where no binary unit divides it. */
export function showBytes(bytes: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    const size = unitBytes[unit.toLowerCase()] ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}

export function size<const D extends WithDefault>(bounds: Required<Bounds>, described: D) {
  const schema = z.string().transform((given, context) => {
    const bytes = parseBytes(given);
    if (bytes !== undefined && bytes >= bounds.min && bytes <= bounds.max) return bytes;
    context.addIssue({ code: "custom", message: "out of range" });
    return z.NEVER;
  });
  const allowed =
    `a size such as 8MiB, 64MB or 8388608, ` +
    `from ${showBytes(bounds.min)} to ${showBytes(bounds.max)}`;
  return option("BYTES", allowed, schema, described);
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Reads `127.0.0.1:8080`, `localhost:8080` or `[::1]:8080`. */
export function parseHostPort(given: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(given);
  if (match === null) return undefined;
  const port = Number(match[3]);
  return port > 65535 ? undefined : { host: match[1] ?? match[2] ?? "", port };
}

/** `127.0.0.1:8080`, `[::1]:8080`. */
export function showHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

export const hostPortSchema: z.ZodType<HostPort, string> = z
  .string()
  .transform((given, context) => {
    const hostPort = parseHostPort(given);
    if (hostPort !== undefined) return hostPort;
    context.addIssue({ code: "custom", message: "not host:port" });
    return z.NEVER;
  });
