/** `streamctl`: finds the command, runs it, prints what went wrong and sets the exit code. */
import { nearest } from "../base/near.ts";
import { UsageError } from "../runtime/node/options.ts";
import { StartupError } from "../runtime/startup-error.ts";
import {
  type Command,
  CommandError,
  entries,
  exitFailure,
  exitOk,
  exitUsage,
  heading,
} from "./command.ts";
import { type CommandName, commandLoaders } from "./commands.ts";
import { freshEngine } from "./fresh-engine.ts";
import { type CliIo, type Output, styled } from "./io.ts";
import { processIo } from "./process-io.ts";

/** Runs one command line; resolves to the exit code. Never throws. */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    return await report(error, argv, io);
  }
}

/** Runs this process's command line and ends the process. */
export async function runProcess(): Promise<void> {
  const argv = process.argv.slice(2);
  // What lasts is worth it; other commands are over sooner than a process begins.
  if (argv[0] === "server") freshEngine(process.env);
  process.exit(await main(argv, processIo()));
}

async function dispatch(argv: readonly string[], io: CliIo): Promise<number> {
  const first = argv[0];
  if (first === undefined) {
    await io.stderr.write(await overview(io.stderr, ""));
    return exitUsage;
  }
  if (first === "help" || first === "--help" || first === "-h") {
    return await help(argv.slice(1), io);
  }
  if (first === "--version" || first === "-V") return await dispatch(["version"], io);
  const name = commandName(argv);
  if (name === undefined) return await unfinished(argv, io);
  const rest = argv.slice(name.split(" ").length);
  if (asksHelp(rest)) return await help(name.split(" "), io);
  const command = await commandLoaders[name]();
  return await command.execute(rest, io);
}

function commandName(argv: readonly string[]): CommandName | undefined {
  const names = [argv.slice(0, 2).join(" "), argv[0] ?? ""];
  return names.find((name): name is CommandName => Object.hasOwn(commandLoaders, name));
}

function asksHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return words
    .slice(0, end < 0 ? undefined : end)
    .some((word) => word === "--help" || word === "-h");
}

async function help(words: readonly string[], io: CliIo): Promise<number> {
  const name = commandName(words);
  if (name !== undefined) {
    await io.stdout.write((await commandLoaders[name]()).help(io.stdout));
    return exitOk;
  }
  const prefix = words[0] ?? "";
  if (prefix !== "" && !isFamily(prefix)) throw unknownCommand(words);
  await io.stdout.write(await overview(io.stdout, prefix));
  return exitOk;
}

/** `streamctl topic`: the first word of several commands and no command itself. */
async function unfinished(argv: readonly string[], io: CliIo): Promise<number> {
  const first = argv[0] ?? "";
  if (!isFamily(first)) throw unknownCommand(argv);
  const second = argv[1];
  if (second === undefined || second.startsWith("-")) {
    const asked = asksHelp(argv);
    const output = asked ? io.stdout : io.stderr;
    await output.write(await overview(output, first));
    return asked ? exitOk : exitUsage;
  }
  throw unknownCommand(argv);
}

function isFamily(word: string): boolean {
  return Object.keys(commandLoaders).some((name) => name.startsWith(`${word} `));
}

function unknownCommand(argv: readonly string[]): UsageError {
  const first = argv[0] ?? "";
  const words = isFamily(first) ? argv.slice(0, 2).join(" ") : first;
  const names = Object.keys(commandLoaders);
  const near = nearest(words, [...names, ...names.map((name) => name.split(" ")[0] ?? name)]);
  const hint = near === null ? "." : `, did you mean \`streamctl ${near}\`?`;
  return new UsageError(`Unknown command "${words}"${hint} See streamctl help`);
}

async function overview(output: Output, family: string): Promise<string> {
  const names = Object.keys(commandLoaders) as CommandName[];
  const chosen = names.filter((name) => family === "" || name.startsWith(`${family} `));
  const commands: Command[] = await Promise.all(chosen.map((name) => commandLoaders[name]()));
  const rows = commands.map((command) => [command.name, command.summary] as const);
  return [
    family === "" ? "streamctl runs and uses Millrace, a log on S3 or a folder.\n\n" : "",
    `${heading(output, "Usage")}  streamctl ${family === "" ? "" : `${family} `}COMMAND [options]\n\n`,
    `${heading(output, "Commands")}\n${entries(output, rows)}\n`,
    "`streamctl COMMAND --help` tells more about one.\n",
  ].join("");
}

async function report(error: unknown, argv: readonly string[], io: CliIo): Promise<number> {
  if (io.signal.aborted && error === io.signal.reason) return 130;
  const known = [CommandError, UsageError, StartupError].some((kind) => error instanceof kind);
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof UsageError ? "usage" : codeOf(error);
  const hasAdvice = error instanceof CommandError || error instanceof StartupError;
  const advice = hasAdvice ? error.advice : undefined;
  if (wantsJson(argv)) {
    await io.stderr.write(`${JSON.stringify({ error: { code, message, advice } })}\n`);
  } else {
    await io.stderr.write(`${styled(io.stderr, "red", "streamctl:")} ${message}\n`);
    if (advice !== undefined) await io.stderr.write(`${advice}.\n`);
    if (!known && error instanceof Error && io.env["MILLRACE_DEBUG"]) {
      await io.stderr.write(`${error.stack}\n`);
    }
  }
  return error instanceof UsageError ? exitUsage : exitFailure;
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string")
    return error.code;
  return "failed";
}

function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (word, index) =>
      word === "-ojson" ||
      word === "--output=json" ||
      ((word === "-o" || word === "--output") && argv[index + 1] === "json"),
  );
}

if (import.meta.main) await runProcess();
