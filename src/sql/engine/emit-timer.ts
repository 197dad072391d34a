/**
 * When an updating result comes out: with every commit, or (EMIT PERIODIC) with the first commit
 * after another period has begun, by publishedAt. Periods are whole since 1970, so that every run
 * over the log cuts them alike.
 */
import type { EmitMode } from "../plan/plan.ts";
import type { StatePart } from "./operator.ts";

export class EmitTimer {
  readonly #everyMs: number;
  #period = -1;

  constructor(emit: EmitMode) {
    this.#everyMs = emit.mode === "periodic" ? emit.everyMs : 0;
  }

  /** Asked at flushes; true starts the next period. */
  isDue(publishedAt: number): boolean {
    if (this.#everyMs === 0) return true;
    const period = Math.floor(publishedAt / this.#everyMs);
    if (period === this.#period) return false;
    this.#period = period;
    return true;
  }

  part(name: string): StatePart {
    return {
      name: `${name}.timer`,
      save: () => {
        const bytes = new Uint8Array(8);
        new DataView(bytes.buffer).setFloat64(0, this.#period, true);
        return bytes;
      },
      restore: (parts) => {
        const last = parts.at(-1)?.bytes;
        if (last === undefined) return;
        this.#period = new DataView(last.buffer, last.byteOffset).getFloat64(0, true);
      },
    };
  }
}
