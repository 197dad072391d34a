/** The shape of a command: what it is called, what it takes, what it does. */
import {
  flagName,
  type Option,
  type OptionTable,
  type OptionValues,
  parseOptions,
  UsageError,
} from "../runtime/node/options.ts";
import { type CliIo, type Output, styled } from "./io.ts";

export const exitOk = 0;
export const exitFailure = 1;
export const exitUsage = 2;

export interface Positional {
  /** In capitals, as help texts show it. */
  readonly name: string;
  readonly doc: string;
  readonly optional?: boolean;
}

export interface CommandShape<O extends OptionTable> {
  /** All words after `streamctl`. */
  readonly name: string;
  readonly summary: string;
  readonly positionals: readonly Positional[];
  readonly options: O;
  /** Each a whole command line without its prompt. */
  readonly examples: readonly string[];
  /** Resolves to the exit code. Throws UsageError and CommandError. */
  run(call: CommandCall<O>): Promise<number>;
}

export interface CommandCall<O extends OptionTable> {
  readonly io: CliIo;
  readonly options: OptionValues<O>;
  /** By place; an optional one that is absent is the empty string. */
  readonly positionals: readonly string[];
  /** What followed the command's name, unparsed. */
  readonly argv: readonly string[];
}

/** A command whose options' types are hidden behind `execute`. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  help(output: Output): string;
  execute(argv: readonly string[], io: CliIo): Promise<number>;
}

/** The failure of a command that was understood: message, and what to do next. */
export class CommandError extends Error {
  readonly code: string;
  readonly advice: string | undefined;

  constructor(code: string, message: string, advice?: string) {
    super(message);
    this.name = "CommandError";
    this.code = code;
    this.advice = advice;
  }
}

export function defineCommand<O extends OptionTable>(shape: CommandShape<O>): Command {
  return {
    name: shape.name,
    summary: shape.summary,
    help: (output) => helpText(shape, output),
    async execute(argv, io) {
      const command = `streamctl ${shape.name}`;
      const { values, positionals } = parseOptions(shape.options, { argv, env: io.env, command });
      checkPositionals(shape, positionals);
      const words = shape.positionals.map((_, index) => positionals[index] ?? "");
      return await shape.run({ io, options: values, positionals: words, argv });
    },
  };
}

function checkPositionals<O extends OptionTable>(
  shape: CommandShape<O>,
  given: readonly string[],
): void {
  const missing = shape.positionals.find((each, index) => !each.optional && !given[index]);
  if (missing !== undefined) {
    throw new UsageError(`${missing.name} is missing (${missing.doc}): ${usageLine(shape)}`);
  }
  const stray = given[shape.positionals.length];
  if (stray !== undefined) {
    throw new UsageError(`"${stray}" is one word too many: ${usageLine(shape)}`);
  }
}

function usageLine<O extends OptionTable>(shape: CommandShape<O>): string {
  const words = shape.positionals.map((each) => (each.optional ? `[${each.name}]` : each.name));
  const options = Object.keys(shape.options).length > 0 ? ["[options]"] : [];
  return ["streamctl", shape.name, ...words, ...options].join(" ");
}

function helpText<O extends OptionTable>(shape: CommandShape<O>, output: Output): string {
  const parts = [`${shape.summary}\n`, `${heading(output, "Usage")}  ${usageLine(shape)}\n`];
  if (shape.positionals.length > 0) {
    parts.push(
      entries(
        output,
        shape.positionals.map((each) => [each.name, each.doc]),
      ),
    );
  }
  const rows = Object.entries(shape.options).map(([key, each]) => optionRow(key, each));
  if (rows.length > 0) parts.push(`${heading(output, "Options")}\n${entries(output, rows)}`);
  if (shape.examples.length > 0) {
    const lines = shape.examples.map((example) => `  ${example}\n`).join("");
    parts.push(`${heading(output, "Examples")}\n${lines}`);
  }
  return parts.join("\n");
}

export function heading(output: Output, text: string): string {
  return styled(output, "bold", `${text}:`);
}

/** Name and explanation of an option, for help texts. */
export function optionRow(key: string, option: Option<unknown>): readonly [string, string] {
  const value = option.value === undefined ? "" : ` ${option.value}`;
  const short = option.short === undefined ? "" : `-${option.short}, `;
  const name = option.envOnly ? (option.env ?? "") : `${short}--${flagName(key)}${value}`;
  const fallback = option.value === undefined ? undefined : option.fallback;
  const shown = option.fallbackShown ?? fallback;
  const notes = [
    ...(shown === undefined || shown === "" ? [] : [`default ${shown}`]),
    ...(option.env === undefined || option.envOnly ? [] : [option.env]),
  ];
  return [name, notes.length === 0 ? option.doc : `${option.doc} (${notes.join("; ")})`];
}

const nameWidthMax = 28;
const lineWidthMax = 100;

/** Names with explanations beside them, wrapped; a long name takes a line of its own. */
export function entries(output: Output, rows: readonly (readonly [string, string])[]): string {
  const longest = Math.max(...rows.map(([name]) => name.length));
  const nameWidth = Math.min(nameWidthMax, longest);
  const lineWidth = Math.max(40, Math.min(lineWidthMax, output.columns));
  const indent = " ".repeat(nameWidth + 4);
  return rows
    .map(([name, doc]) => {
      const lines = wrap(doc, lineWidth - indent.length);
      const first =
        name.length <= nameWidth ? `  ${name.padEnd(nameWidth)}  ` : `  ${name}\n${indent}`;
      return `${first}${lines.join(`\n${indent}`)}\n`;
    })
    .join("");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}
