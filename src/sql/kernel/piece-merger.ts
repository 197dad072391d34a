/**
 * Merges the pieces of a part of the groups of a window (`window-pieces.ts`): those of each pane in
 * the order in which they left, then the panes, as the kernel merges panes that are in memory. Of
 * groups that count DISTINCT values, the values of all pieces are counted then.
 */
import type { SqliteMemory } from "../sqlite/memory.ts";
import type { PaneKernel } from "./away-panes.ts";
import { pickMembers } from "./piece-members.ts";
import type { PieceTable } from "./piece-table.ts";
import type { KernelState } from "./state.ts";

export interface PieceKernel extends PaneKernel {
  boundOfTimes(table: number, time: number, isGreatest: number): bigint;
  bytesBetween(state: number, start: bigint, end: bigint, hasSets: number): bigint;
  placeEntries(state: number, pane: number, seed: bigint): number;
  writePiece(state: number, pane: number, list: number, count: number, marks: number): void;
  newPiece(state: number, entries: number): number;
  dropPiece(state: number, pane: number): void;
  readPiece(state: number, pane: number, piece: number): void;
  mergePiece(state: number, pane: number, from: number): void;
  findPiece(state: number, pane: number, from: number): void;
  addMembers(state: number, pane: number, members: number, count: number, bytes: number): void;
  forgetMembers(state: number, pane: number): void;
  showPiece(
    state: number,
    result: number,
    pane: number,
    list: number,
    count: number,
    start: bigint,
    end: bigint,
  ): void;
  renewPane(state: number, index: number): void;
  markPane(state: number, start: bigint): void;
  releaseWork(state: number): void;
}

/** Groups in a pane of nobody's, and their places in the order of a window. */
export interface Merged {
  readonly pane: number;
  readonly places: number[];
  /** It is no more than what the rows of a piece added. */
  readonly isPartial: boolean;
}

interface Window {
  readonly startMs: number;
  readonly endMs: number;
  /** Where the entries of each piece begin in its order, by `pieceName`. */
  readonly places: ReadonlyMap<string, number>;
}

/** `wasm/sql/parts/fields.ts` and `pieces.ts`: keep in step. */
const numbersField = 188;
export const pieceHeadBytes = 16;

const act = "merge the groups of a window";

/** What a piece is known by. */
export function pieceName(piece: { readonly start: number; readonly generation: number }): string {
  return `${piece.start} ${piece.generation}`;
}

export class PieceMerger {
  readonly #kernel: PieceKernel;
  readonly #state: KernelState;
  readonly #memory: SqliteMemory;
  readonly #table: PieceTable;
  /** Of values that are counted at a time. */
  readonly #membersBytesMax: number;

  constructor(
    kernel: PieceKernel,
    options: {
      readonly state: KernelState;
      readonly table: PieceTable;
      readonly membersBytesMax: number;
    },
  ) {
    this.#kernel = kernel;
    this.#state = options.state;
    this.#memory = options.state.memory;
    this.#table = options.table;
    this.#membersBytesMax = options.membersBytesMax;
  }

  /** The groups of a part of a window; null: there are none. The pane is the caller's to drop. */
  merge(part: number, window: Window): Merged | null {
    let all: Merged | null = null;
    let pane: (Merged & { readonly start: number }) | null = null;
    for (const { image, ...piece } of this.#table.pieces.ofPart(part, window)) {
      if (pane !== null && pane.start !== piece.start) {
        all = this.#mergeInto(all, pane);
        pane = null;
      }
      const read = this.#read(image, window.places.get(pieceName(piece)) ?? 0);
      pane = { start: piece.start, ...this.#mergeInto(pane, read) };
    }
    const merged = pane === null ? all : this.#mergeInto(all, pane);
    if (merged !== null && this.#state.layout.hasSets) this.#countMembers(part, window, merged);
    return merged;
  }

  /** A piece as a pane by itself. */
  #read(image: Uint8Array, base: number): Merged {
    const { address } = this.#state;
    const view = new DataView(image.buffer, image.byteOffset);
    const count = view.getUint32(0, true);
    const pane = this.#kernel.newPiece(address, count);
    this.#check();
    const at = this.#memory.place(image);
    this.#kernel.readPiece(address, pane, at);
    const places = Array.from(this.#words(at + pieceHeadBytes, count), (mark) => base + mark);
    this.#memory.free(at);
    this.#check();
    // What it says of DISTINCT values is of those that came while it was in memory.
    const isPartial = view.getUint32(8, true) > 0 || this.#state.layout.hasSets;
    return { pane, places, isPartial };
  }

  /** Merges `from` into `into`, and drops it. */
  #mergeInto(into: Merged | null, from: Merged): Merged {
    if (into === null && !from.isPartial) return from;
    const { address } = this.#state;
    const pane = into?.pane ?? this.#kernel.newPiece(address, from.places.length);
    this.#check();
    this.#kernel.mergePiece(address, pane, from.pane);
    this.#check();
    const places = into?.places ?? [];
    for (const [index, number] of this.#numbers(from.places.length).entries()) {
      if (number >= places.length) places.push(from.places[index] ?? 0);
    }
    this.#kernel.dropPiece(address, from.pane);
    return { pane, places, isPartial: false };
  }

  /** Counts the DISTINCT values of groups that are merged: in passes, where they are too many. */
  #countMembers(part: number, window: Window, { pane }: Merged): void {
    const bytes = this.#table.members.bytesOf(part, window);
    const passes = Math.max(1, Math.ceil(bytes / this.#membersBytesMax));
    const numbers = this.#numbersOf(part, window, pane);
    const { textSets } = this.#state.layout;
    for (let pass = 0; pass < passes; pass++) {
      for (const { image, ...piece } of this.#table.members.ofPart(part, window)) {
        const own = numbers.get(pieceName(piece));
        const numberOf = (entry: number) => own?.get(entry) ?? 0;
        const picked = pickMembers(image, { pass, passes, textSets, numberOf });
        const at = this.#memory.place(image);
        const [members, texts] = [at + picked.membersAt, at + picked.textsAt];
        this.#kernel.addMembers(this.#state.address, pane, members, picked.count, texts);
        this.#memory.free(at);
        this.#check();
      }
      this.#kernel.forgetMembers(this.#state.address, pane);
    }
  }

  /** By piece: the number in `pane` of each of its entries. */
  #numbersOf(part: number, window: Window, pane: number): Map<string, Map<number, number>> {
    const { address } = this.#state;
    const byPiece = new Map<string, Map<number, number>>();
    for (const { image, ...piece } of this.#table.pieces.ofPart(part, window)) {
      const read = this.#read(image, 0);
      this.#kernel.findPiece(address, pane, read.pane);
      this.#check();
      const name = pieceName(piece);
      const numbers = byPiece.get(name) ?? new Map<number, number>();
      for (const [index, number] of this.#numbers(read.places.length).entries()) {
        numbers.set(read.places[index] ?? 0, number);
      }
      byPiece.set(name, numbers);
      this.#kernel.dropPiece(address, read.pane);
    }
    return byPiece;
  }

  /** What the kernel has found of the entries of a piece. */
  #numbers(count: number): Uint32Array {
    return this.#words(this.#memory.readUint32(this.#state.address + numbersField), count);
  }

  /** Words as they lie, copied: `address` need be no multiple of four. */
  #words(address: number, count: number): Uint32Array {
    return new Uint32Array(this.#memory.take(address, count * 4).buffer);
  }

  #check(): void {
    this.#state.check(this.#kernel.failure(this.#state.address), act);
  }
}
