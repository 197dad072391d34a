/** Programs held on one processor, so that rates are per core. */
import { cpus } from "node:os";

/** Words before a command that keep it on the processor of that number; none where there is no such. */
export function onCore(core: number): readonly string[] {
  const isPossible = process.platform === "linux" && core < cpus().length;
  return isPossible ? ["taskset", "-c", String(core)] : [];
}
