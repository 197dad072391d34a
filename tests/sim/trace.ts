/**
 * What happened in a run, folded into one number as it happens. Two runs of one seed must end with
 * the same number; a replay keeps the lines too.
 */
export class Trace {
  readonly #show: ((line: string) => void) | undefined;
  #low = 0x811c9dc5;
  #high = 0x9747b28c;
  #count = 0;

  /** `show` gets every line of a replay. */
  constructor(show?: (line: string) => void) {
    this.#show = show;
  }

  add(line: string): void {
    this.#count += 1;
    for (let index = 0; index < line.length; index++) {
      const code = line.charCodeAt(index);
      this.#low = Math.imul(this.#low ^ code, 0x01000193);
      this.#high = Math.imul(this.#high ^ code, 0x85ebca6b) ^ (this.#high >>> 15);
    }
    this.#show?.(line);
  }

  get count(): number {
    return this.#count;
  }

  get digest(): string {
    const hex = (part: number) => (part >>> 0).toString(16).padStart(8, "0");
    return `${hex(this.#high)}${hex(this.#low)}`;
  }
}
