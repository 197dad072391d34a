/**
 * When an updating result comes out: with every commit, or (EMIT PERIODIC) when a period of
 * publishedAt has passed, before the rows of the publish or tick by which it has. Periods are whole
 * since 1970 and commits play no part, so that every run over the log cuts them alike.
 */
import type { EmitMode } from "../plan/plan.ts";
import type { StatePart } from "./operator.ts";
import { numberPart } from "./state-part.ts";

export class EmitTimer {
  readonly #everyMs: number;
  /** End of the period in which rows came that have not come out; 0: there are none. */
  #dueAt = 0;

  constructor(emit: EmitMode) {
    this.#everyMs = emit.mode === "periodic" ? emit.everyMs : 0;
  }

  get isPeriodic(): boolean {
    return this.#everyMs > 0;
  }

  /** publishedAt at which what has come is due; undefined: nothing has. */
  get dueAt(): number | undefined {
    return this.#dueAt === 0 ? undefined : this.#dueAt;
  }

  /** Something may come out that was published at this time. */
  noteRows(publishedAt: number): void {
    if (this.#everyMs === 0 || this.#dueAt !== 0) return;
    this.#dueAt = (Math.floor(publishedAt / this.#everyMs) + 1) * this.#everyMs;
  }

  /** What had come has come out. */
  settle(): void {
    this.#dueAt = 0;
  }

  part(name: string): StatePart {
    return numberPart(`${name}.timer`, {
      get: () => this.#dueAt,
      set: (value) => {
        this.#dueAt = value;
      },
    });
  }
}
