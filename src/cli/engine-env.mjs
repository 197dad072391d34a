/**
 * What the engine (JavaScriptCore) reads from the environment of a starting process, and nowhere
 * else.
 *
 * Of all WebAssembly memories of a process it takes the first four without a check at each access,
 * and collects all garbage before it makes one more. Each query has one; addresses (4 GiB each) are
 * plenty.
 *
 * JavaScript here runs per batch, not per record; its last stage of compilation (FTL) costs more
 * than it gives in the first seconds of a query: a tenth of its processor time. It comes after ten
 * times as many runs as usual. WebAssembly is not concerned.
 *
 * @type {Readonly<Record<string, string>>}
 */
export const engineEnv = {
  BUN_JSC_maxNumWasmFastMemories: "128",
  BUN_JSC_thresholdForFTLOptimizeAfterWarmUp: "1000000",
};
