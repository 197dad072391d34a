/**
 * Of all WebAssembly memories of a process the engine takes the first four without a check at each
 * access, and reads only from the environment of a starting process how many it may be. Each query
 * has one; addresses (4 GiB each) are plenty.
 */
const name = "BUN_JSC_maxNumWasmFastMemories";
const memoriesMax = "128";

/**
 * Begins this process anew with more of them, under its id and with its arguments, unless its
 * environment says how many already or the system cannot do so. The launcher says so itself.
 */
export function freeMemories(env: Readonly<Record<string, string | undefined>>): void {
  if (env[name] !== undefined || process.execve === undefined) return;
  const [, script = "", ...words] = process.argv;
  const isSingleFile = script.startsWith("/$bunfs/");
  const program = isSingleFile
    ? [process.execPath]
    : [process.execPath, ...process.execArgv, script];
  process.execve(process.execPath, [...program, ...words], { ...env, [name]: memoriesMax });
}
