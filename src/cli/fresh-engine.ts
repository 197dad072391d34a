import { engineEnv } from "./engine-env.mjs";

/**
 * Begins this process anew with the engine's settings, under its id and with its arguments, where
 * its environment lacks one: there was no launcher. Not where the system cannot do so.
 */
export function freshEngine(env: Readonly<Record<string, string | undefined>>): void {
  const isSet = Object.keys(engineEnv).every((name) => env[name] !== undefined);
  if (isSet || process.execve === undefined) return;
  const [, script = "", ...words] = process.argv;
  const isSingleFile = script.startsWith("/$bunfs/");
  const program = isSingleFile
    ? [process.execPath]
    : [process.execPath, ...process.execArgv, script];
  process.execve(process.execPath, [...program, ...words], { ...engineEnv, ...env });
}
