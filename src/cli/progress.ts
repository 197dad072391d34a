/** A line at the bottom of a terminal that says how far a long command has come. */
import { clock } from "../runtime/node/platform.ts";
import { type Output, styled } from "./io.ts";
import { counted, humanBytes, humanCount } from "./numbers.ts";

const redrawMs = 100;
const barWidth = 24;

export interface Advance {
  readonly records: number;
  readonly bytes: number;
  /** From 0 to 1; absent when the end is not known. */
  readonly fraction?: number;
}

export class Progress {
  readonly #output: Output;
  readonly #startMs = clock.monotonic();
  #drawnMs = Number.NEGATIVE_INFINITY;
  #isDrawn = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Draws, at most ten times a second and only on a terminal. */
  async show(advance: Advance): Promise<void> {
    const now = clock.monotonic();
    if (!this.#output.isTerminal || now - this.#drawnMs < redrawMs) return;
    this.#drawnMs = now;
    this.#isDrawn = true;
    const line = progressLine(this.#output, advance, now - this.#startMs);
    await this.#output.write(`\r\u001b[2K${line}`);
  }

  /** Takes the line away. */
  async clear(): Promise<void> {
    if (this.#isDrawn) await this.#output.write("\r\u001b[2K");
    this.#isDrawn = false;
  }
}

/** `[######..] 75 %  1,200 records  3.4 MiB  12,000/s`, cut where the terminal ends. */
function progressLine(output: Output, advance: Advance, elapsedMs: number): string {
  const seconds = Math.max(0.001, elapsedMs / 1000);
  const parts = [
    counted(advance.records, "record"),
    humanBytes(advance.bytes),
    `${humanCount(advance.records / seconds)}/s`,
    `${humanBytes(advance.bytes / seconds)}/s`,
  ];
  const text = parts.join("  ");
  const { fraction } = advance;
  if (fraction === undefined) return text.slice(0, output.columns - 1);
  const percent = `${Math.floor(fraction * 100)} %`.padStart(5);
  const filled = Math.round(Math.min(1, fraction) * barWidth);
  const roomForBar = output.columns > text.length + barWidth + 12;
  if (!roomForBar) return `${percent}  ${text}`.slice(0, output.columns - 1);
  const bar = styled(output, "cyan", "█".repeat(filled)) + "░".repeat(barWidth - filled);
  return `${bar} ${percent}  ${text}`;
}
