/**
 * What the engine reads only from the environment of a starting process. Of all WebAssembly
 * memories of a process it takes the first four without a check at each access; each query has one,
 * and addresses (4 GiB each) are plenty. And JavaScript, which here runs per batch, is compiled to
 * the last stage (FTL) after a tenth of the runs that would pay for it.
 */
const name = "BUN_JSC_maxNumWasmFastMemories";
const settings = { [name]: "128", BUN_JSC_thresholdForFTLOptimizeAfterWarmUp: "1000000" };

/**
 * Begins this process anew with these, under its id and with its arguments, unless its environment
 * says how many memories already or the system cannot do so. The launcher says so itself.
 */
export function freeMemories(env: Readonly<Record<string, string | undefined>>): void {
  if (env[name] !== undefined || process.execve === undefined) return;
  const [, script = "", ...words] = process.argv;
  const isSingleFile = script.startsWith("/$bunfs/");
  const program = isSingleFile
    ? [process.execPath]
    : [process.execPath, ...process.execArgv, script];
  const all = { ...settings, ...env };
  process.execve(process.execPath, [...program, ...words], all as Record<string, string>);
}
