/**
 * Command-line options as tables. One table gives parsing, validation, `--help` and the page of
 * settings in the documentation, so that none of them can drift from the others. An option is a
 * flag (`--flush-bytes 8MiB` or `--flush-bytes=8MiB`), an environment variable, or both; a flag
 * wins over its variable, an empty variable counts as absent.
 */

import type * as z from "zod";
import { nearest } from "../../base/near.ts";

/** What the user typed cannot be carried out; the program exits with 2 and prints the message. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

export interface Option<T> {
  /** Placeholder of the value in help texts; absent for a switch, which takes none. */
  readonly value?: string;
  readonly short?: string;
  /** The variable that sets it where no flag does. */
  readonly env?: string;
  /** May be given several times: the schema gets the texts joined by line feeds. */
  readonly repeated?: boolean;
  /**
   * Not accepted as a flag, never repeated in messages: for secrets and what goes with them, since
   * a command line is visible to every process of the machine.
   */
  readonly envOnly?: boolean;
  readonly doc: string;
  /** What a value may be, completing "expected …". */
  readonly allowed: string;
  /** Used when nothing is given, written as a user would. */
  readonly fallback?: string;
  /** How the fallback is shown where it is not a constant. */
  readonly fallbackShown?: string;
  readonly schema: z.ZodType<T, string>;
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The values of a table: undefined is possible exactly where the option's type says so. */
export type OptionValues<O extends OptionTable> = {
  readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never;
};

export interface ParsedOptions<O extends OptionTable> {
  readonly values: OptionValues<O>;
  readonly positionals: readonly string[];
}

export interface OptionSource {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For the hint at the end of errors: `streamctl server`. */
  readonly command: string;
}

interface GivenText {
  readonly text: string;
  /** The name under which the user gave it: `--http` or `MILLRACE_HTTP`. */
  readonly name: string;
}

/**
 * Reads flags, environment and defaults into values.
 * @throws UsageError naming the option, the value met and what is allowed.
 */
export function parseOptions<O extends OptionTable>(
  table: O,
  source: OptionSource,
): ParsedOptions<O> {
  const { flags, positionals } = readFlags(table, source);
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(table)) {
    const given = flags.get(key) ?? fromEnvironment(option, source.env);
    values[key] = given === undefined ? defaultOf(option) : accept(option, given);
  }
  return { values: values as OptionValues<O>, positionals };
}

/** `flushBytes` → `flush-bytes`. */
export function flagName(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function readFlags(table: OptionTable, source: OptionSource) {
  const keyByFlag = new Map<string, string>();
  for (const [key, option] of Object.entries(table)) {
    keyByFlag.set(`--${flagName(key)}`, key);
    if (option.short !== undefined) keyByFlag.set(`-${option.short}`, key);
  }
  const flags = new Map<string, GivenText>();
  const positionals: string[] = [];
  for (let index = 0; index < source.argv.length; index++) {
    const word = source.argv[index] ?? "";
    if (word === "--") {
      positionals.push(...source.argv.slice(index + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      positionals.push(word);
      continue;
    }
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const name = equals < 0 ? word : word.slice(0, equals);
    const key = keyByFlag.get(name);
    const option = key === undefined ? undefined : table[key];
    if (key === undefined || option === undefined) throw unknownOption(name, table, source);
    if (option.envOnly) throw envOnlyFlag(name, option);
    const earlier = flags.get(key);
    if (earlier !== undefined && !option.repeated) {
      throw new UsageError(`${name} is given twice: give it once`);
    }
    const prefix = earlier === undefined ? "" : `${earlier.text}\n`;
    if (option.value === undefined) {
      if (equals >= 0) throw new UsageError(`${name} takes no value: write ${name}`);
      flags.set(key, { text: "on", name });
      continue;
    }
    const next = source.argv[index + 1];
    if (equals >= 0) flags.set(key, { text: prefix + word.slice(equals + 1), name });
    else if (next === undefined || isFlag(next, keyByFlag)) throw valueMissing(name, option);
    else {
      flags.set(key, { text: prefix + next, name });
      index += 1;
    }
  }
  return { flags, positionals };
}

/** A value may begin with a dash (`--value -5`); one of our own flags is a forgotten value. */
function isFlag(word: string, keyByFlag: ReadonlyMap<string, string>): boolean {
  return keyByFlag.has(word.split("=", 1)[0] ?? word);
}

function fromEnvironment(option: Option<unknown>, env: OptionSource["env"]): GivenText | undefined {
  if (option.env === undefined) return undefined;
  const text = env[option.env];
  return text === undefined || text === "" ? undefined : { text, name: option.env };
}

function defaultOf(option: Option<unknown>): unknown {
  return option.fallback === undefined ? undefined : option.schema.parse(option.fallback);
}

function accept(option: Option<unknown>, given: GivenText): unknown {
  const result = option.schema.safeParse(given.text);
  if (result.success) return result.data;
  const met = option.envOnly ? "not acceptable" : JSON.stringify(given.text);
  const why = reasonOf(result.error);
  throw new UsageError(`${given.name} is ${met}: expected ${option.allowed}${why}`);
}

/** What a schema knows beyond what is allowed. */
function reasonOf(error: z.ZodError): string {
  const issue = error.issues[0];
  const reason = issue?.code === "custom" ? issue.params?.["reason"] : undefined;
  return typeof reason === "string" ? ` (${reason})` : "";
}

function valueMissing(name: string, option: Option<unknown>): UsageError {
  return new UsageError(`${name} needs a value: expected ${option.allowed}`);
}

function envOnlyFlag(name: string, option: Option<unknown>): UsageError {
  return new UsageError(
    `${name} is not accepted, since a command line is visible to every process here: ` +
      `set ${option.env} in the environment`,
  );
}

function unknownOption(name: string, table: OptionTable, source: OptionSource): UsageError {
  const flags = Object.entries(table)
    .filter(([, option]) => option.envOnly !== true)
    .map(([key]) => `--${flagName(key)}`);
  const near = nearest(name, flags);
  const hint = near === null ? "." : `, did you mean ${near}?`;
  return new UsageError(`Unknown option ${name}${hint} See ${source.command} --help`);
}
