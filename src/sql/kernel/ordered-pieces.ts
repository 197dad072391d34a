/**
 * Results of a window that is closed in parts, on scratch disk until they come out: cut by the
 * order in which they do, so that those of one cut fit memory. Small ones wait in memory until
 * there are enough for a block.
 */
import type { SqliteMemory } from "../sqlite/memory.ts";
import { type SpilledRun, type SpillSpace, spillBlockBytes } from "./spill-space.ts";

interface Cut {
  readonly waiting: Uint8Array[];
  waitingBytes: number;
  readonly runs: { readonly run: SpilledRun; readonly lengths: readonly number[] }[];
}

/** All cuts go to disk when so much waits. */
const waitingBytesMax = 4 * 1024 * 1024;

export class OrderedPieces {
  readonly #memory: SqliteMemory;
  readonly #space: SpillSpace;
  readonly #cuts = new Map<number, Cut>();
  #waitingBytes = 0;

  constructor(memory: SqliteMemory, space: SpillSpace) {
    this.#memory = memory;
    this.#space = space;
  }

  add(cut: number, piece: Uint8Array): void {
    let place = this.#cuts.get(cut);
    if (place === undefined) {
      place = { waiting: [], waitingBytes: 0, runs: [] };
      this.#cuts.set(cut, place);
    }
    place.waiting.push(piece);
    place.waitingBytes += piece.length;
    this.#waitingBytes += piece.length;
    if (place.waitingBytes >= spillBlockBytes) this.#write(place);
    if (this.#waitingBytes < waitingBytesMax) return;
    for (const each of this.#cuts.values()) this.#write(each);
  }

  #write(cut: Cut): void {
    if (cut.waiting.length === 0) return;
    const at = this.#memory.allocate(cut.waitingBytes);
    let filled = at;
    for (const piece of cut.waiting) {
      this.#memory.bytes.set(piece, filled);
      filled += piece.length;
    }
    const lengths = cut.waiting.map(({ length }) => length);
    cut.runs.push({ run: this.#space.write(at, cut.waitingBytes), lengths });
    this.#memory.free(at);
    this.#waitingBytes -= cut.waitingBytes;
    cut.waiting.length = 0;
    cut.waitingBytes = 0;
  }

  /** The cuts, in their order. */
  get cuts(): number[] {
    return [...this.#cuts.keys()].toSorted((a, b) => a - b);
  }

  /** Calls `take` with the address of each piece of a cut, which is forgotten then. */
  take(cut: number, take: (address: number) => void): void {
    const place = this.#cuts.get(cut);
    if (place === undefined) return;
    for (const { run, lengths } of place.runs) {
      const at = this.#memory.allocate(run.bytes);
      this.#space.read(run, at);
      this.#space.free(run);
      let from = at;
      for (const length of lengths) {
        take(from);
        from += length;
      }
      this.#memory.free(at);
    }
    for (const piece of place.waiting) {
      const at = this.#memory.place(piece);
      take(at);
      this.#memory.free(at);
    }
    this.#waitingBytes -= place.waitingBytes;
    this.#cuts.delete(cut);
  }
}
