/**
 * Log lines for people on a terminal, JSON lines for programs. Fields whose name says that they
 * hold a secret are never printed.
 */
import type { LogFields, Logger, LogLevel } from "../../base/log.ts";

export interface LoggerOptions {
  /** The least severe level that is printed. */
  readonly level: LogLevel;
  readonly format: "text" | "json";
  readonly hasColour: boolean;
  /** Takes whole lines, line feed included. */
  readonly write: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const severities: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const colours: Readonly<Record<LogLevel, string>> = {
  debug: "2",
  info: "36",
  warn: "33",
  error: "31",
};
const secretName = /token|secret|password|authorization|credential/i;

export function createLogger(options: LoggerOptions, bound: LogFields = {}): Logger {
  const print = (level: LogLevel, message: string, fields?: LogFields) => {
    if (severities[level] < severities[options.level]) return;
    const all = { ...bound, ...fields };
    options.write(
      options.format === "json"
        ? jsonLine(options, level, message, all)
        : textLine(options, level, message, all),
    );
  };
  return {
    debug: (message, fields) => print("debug", message, fields),
    info: (message, fields) => print("info", message, fields),
    warn: (message, fields) => print("warn", message, fields),
    error: (message, fields) => print("error", message, fields),
    with: (fields) => createLogger(options, { ...bound, ...fields }),
  };
}

function jsonLine(options: LoggerOptions, level: LogLevel, message: string, fields: LogFields) {
  const shown = Object.entries(fields).map(([name, value]) => [name, shownValue(name, value)]);
  const line = { time: timeOf(options), level, message, ...Object.fromEntries(shown) };
  return `${JSON.stringify(line)}\n`;
}

function textLine(options: LoggerOptions, level: LogLevel, message: string, fields: LogFields) {
  const label = level.padEnd(5);
  const shownLabel = options.hasColour ? `\u001b[${colours[level]}m${label}\u001b[0m` : label;
  const shown = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${textValue(shownValue(name, value))}`)
    .join("");
  return `${timeOf(options).slice(11, 23)} ${shownLabel} ${message}${shown}\n`;
}

function timeOf(options: LoggerOptions): string {
  return new Date(options.now()).toISOString();
}

/** The value as JSON can hold it, secrets hidden. */
function shownValue(name: string, value: unknown): unknown {
  if (secretName.test(name)) return "(hidden)";
  if (value instanceof Error) return errorText(value);
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return value;
}

/** The messages from the outermost error to the first cause. */
function errorText(error: Error): string {
  const texts: string[] = [];
  for (let each: unknown = error; each instanceof Error && texts.length < 5; each = each.cause) {
    texts.push(each.name === "Error" || each.name === "StreamError" ? each.message : String(each));
  }
  return texts.join(", because: ");
}

function textValue(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
