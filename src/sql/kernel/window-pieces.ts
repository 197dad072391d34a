/**
 * Groups of windows that memory has no room for (`wasm/sql/parts/pieces.ts`): those of a pane
 * leave for a table, cut into parts by a hash of their keys, and the pane begins anew. Rows that
 * come for a group of which a piece has left make another: a row waits for nothing. When a window
 * closes, the pieces of its panes are merged a part at a time, and its groups come out in the
 * order in which they first appeared, as if they had been in memory.
 *
 * What must hold: merging pieces gives what the rows would have given, to the last bit. So addends
 * to sums of reals are kept one by one behind the first piece. At a checkpoint a pane of which a
 * piece has left has nothing in memory: the table has it all.
 */
import type { RowTable } from "../memory/row-table.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";
import type { AwayPanes } from "./away-panes.ts";
import type { MemberSets } from "./member-sets.ts";
import { OrderedPieces } from "./ordered-pieces.ts";
import { MemberSorter } from "./piece-members.ts";
import {
  type Merged,
  type PieceKernel,
  PieceMerger,
  pieceHeadBytes,
  pieceName,
} from "./piece-merger.ts";
import { type PieceHead, PieceTable, type PieceTablePlace } from "./piece-table.ts";
import type { SpillSpace } from "./spill-space.ts";
import type { KernelState, StateResult } from "./state.ts";

interface RowTimes {
  readonly timeColumn: number;
  readonly paneMs: number;
}

interface Bounds {
  readonly startMs: number;
  readonly endMs: number;
}

/** `wasm/sql/parts/fields.ts` and `pieces.ts`: keep in step. */
const field = { isWhole: 24, entryCount: 36, dirtyCount: 60, away: 164, hasPieces: 180 } as const;

/** Parts of the keys: 256. What is merged at a time is one of them. */
const partShift = 24;
/** Of a piece; a single group may be larger. */
const pieceBytes = 128 * 1024;
/** Groups that come out together, and their part of what kernels may hold. */
const comingOut = { groupsMin: 16, groupsMax: 65_536, share: 1 / 8 } as const;
/** State that holds less than this part of what all may hold is not what memory is short of. */
const smallShare = 1 / 32;
/** DISTINCT values that are counted together: their part of what kernels may hold. */
const members = { bytesMin: 16 * 1024, share: 1 / 16 } as const;
/** How far over its bound memory may be while a window closes. */
const closingShare = 1 / 4;

export class WindowPieces {
  readonly #kernel: PieceKernel;
  readonly #state: KernelState;
  readonly #memory: SqliteMemory;
  readonly #panes: AwayPanes;
  readonly #sets: MemberSets;
  readonly #space: SpillSpace;
  readonly #place: PieceTablePlace;
  readonly #seed: bigint;
  #table: PieceTable | null = null;
  #heads: PieceHead[] = [];

  constructor(
    kernel: PieceKernel,
    options: {
      readonly state: KernelState;
      readonly panes: AwayPanes;
      readonly sets: MemberSets;
      readonly space: SpillSpace;
      readonly place: PieceTablePlace;
      readonly seed: bigint;
    },
  ) {
    this.#kernel = kernel;
    this.#state = options.state;
    this.#memory = options.state.memory;
    this.#panes = options.panes;
    this.#sets = options.sets;
    this.#space = options.space;
    this.#seed = BigInt.asIntN(64, options.seed);
    const { database, name } = options.place;
    this.#place = { database, name: `${name}_pieces_${options.state.layout.fingerprint}` };
    if (PieceTable.isThere(this.#place)) this.#open();
  }

  #open(): PieceTable {
    const table = new PieceTable(this.#place, this.#seed);
    this.#table = table;
    this.#heads = table.heads();
    return table;
  }

  /** A checkpoint was read: panes of which pieces left are known again. */
  restored(): void {
    for (const start of new Set(this.#heads.map((head) => head.start))) {
      this.#kernel.markPane(this.#state.address, BigInt(start));
    }
    this.#check("restore a query");
  }

  /** Where other panes have gone and memory is short still, what is left of them goes in pieces. */
  spill(): void {
    if (this.#space.bytesOver <= 0) return;
    for (let index = 0; index < this.#count; index++) {
      if (this.#space.bytesOver <= 0) return;
      if (this.#isAway(index)) continue;
      // Not for the sake of its sets, which go by themselves.
      const bytes = this.#bytesOf(index, { hasSets: false });
      if (bytes >= this.#space.bytesMax * smallShare) this.#leave(index);
    }
  }

  /**
   * Comes before rows are added: where they may need more panes from scratch disk than memory has
   * room for, those leave in pieces, which rows do not need.
   */
  makeRoom(table: RowTable, { timeColumn, paneMs }: RowTimes): void {
    if (this.#panes.awayCount < 2) return;
    const { address: rows } = table;
    const firstMs = Number(this.#kernel.boundOfTimes(rows, timeColumn, 0)) - paneMs + 1;
    const lastMs = Number(this.#kernel.boundOfTimes(rows, timeColumn, 1));
    const away: number[] = [];
    let bytes = 0;
    for (let index = 0; index < this.#count; index++) {
      const startMs = this.#startOf(index);
      if (!this.#isAway(index) || startMs < firstMs || startMs > lastMs) continue;
      away.push(index);
      bytes += this.#bytesOf(index);
    }
    if (away.length < 2 || !this.#isTooMuch(bytes)) return;
    for (const index of away) this.#leaveAny(index);
  }

  /** Comes before a checkpoint. */
  beforeSave(isFull: boolean): void {
    for (let index = 0; index < this.#count; index++) {
      if (this.#hasPieces(index)) this.#leave(index);
    }
    // What it has of all that is away would lie in memory together.
    if (this.#panes.awayCount === 0) return;
    const shares = Array.from({ length: this.#count }, (_, index) =>
      this.#isAway(index) ? this.#shareToSave(index, isFull) : 0,
    );
    let bytes = 0;
    for (const [index, share] of shares.entries()) {
      if (share > 0) bytes += share * this.#bytesOf(index, { hasSets: false });
    }
    if (!this.#isTooMuch(bytes)) return;
    for (const [index, share] of shares.entries()) {
      if (share > 0) this.#leaveAny(index);
    }
  }

  /** Whether a window has to be closed in parts. */
  isNeededFor(window: Bounds): boolean {
    if (this.#heads.some(({ start }) => isWithin(start, window))) return true;
    let count = 0;
    let awayBytes = 0;
    let bytes = 0;
    for (let index = 0; index < this.#count; index++) {
      const startMs = this.#startOf(index);
      if (!isWithin(startMs, window)) continue;
      const own = this.#bytesOf(index);
      bytes += own;
      if (this.#isAway(index) || this.#sets.awayCount > 0) awayBytes += own;
      count++;
    }
    // The result of more than one pane is as large as all of them, if no two share a key.
    return count > 1 && this.#isTooMuch(awayBytes + bytes);
  }

  /** Calls `show` with the groups of a window, in parts, each good while it is shown. */
  close(window: Bounds, show: (groups: StateResult) => void): void {
    for (let index = 0; index < this.#count; index++) {
      if (isWithin(this.#startOf(index), window)) this.#leaveAny(index);
    }
    const heads = this.#heads.filter(({ start }) => isWithin(start, window));
    const table = this.#table ?? this.#open();
    const membersBytesMax = Math.max(members.bytesMin, this.#space.bytesMax * members.share);
    const merger = new PieceMerger(this.#kernel, { state: this.#state, table, membersBytesMax });
    const merging = { ...window, places: placesOf(heads) };
    const { entries, bytes } = totalOf(heads);
    const share = Math.floor((this.#space.bytesMax * comingOut.share * entries) / (bytes + 1));
    const groups = Math.min(comingOut.groupsMax, Math.max(comingOut.groupsMin, share));
    const ordered = new OrderedPieces(this.#memory, this.#space);
    for (const part of table.pieces.parts(window)) {
      const merged = merger.merge(part, merging);
      if (merged === null) continue;
      this.#cut(merged, { groups, ordered });
      this.#kernel.dropPiece(this.#state.address, merged.pane);
    }
    this.#kernel.releaseWork(this.#state.address);
    const result = this.#state.newResult();
    try {
      for (const cut of ordered.cuts) this.#show(cut, { ordered, window, result, show });
    } finally {
      result.free();
    }
    this.#kernel.releaseWork(this.#state.address);
  }

  /** Panes that start before this will be dropped. */
  dropBefore(startMs: number): void {
    if (!this.#heads.some(({ start }) => start < startMs)) return;
    this.#table?.dropBefore(startMs);
    this.#heads = this.#heads.filter(({ start }) => start >= startMs);
  }

  free(): void {
    this.#table?.free();
    this.#table = null;
  }

  /** A pane leaves, wherever it is. */
  #leaveAny(index: number): void {
    this.#panes.fetchAt(index);
    this.#leave(index);
  }

  /** A pane that is in memory leaves. */
  #leave(index: number): void {
    const { address } = this.#state;
    const pane = this.#kernel.paneAt(address, index);
    const entries = this.#memory.readUint32(pane + field.entryCount);
    if (entries === 0) return;
    const table = this.#table ?? this.#open();
    const startMs = this.#startOf(index);
    const own = this.#bytesOf(index, { hasSets: false });
    const rowsMax = Math.max(1, Math.floor((pieceBytes * entries) / own));
    const generation = 1 + this.#generationOf(startMs);
    let bytes = 0;
    const parts = this.#partsOf(pane, entries);
    this.#sendMembers(index, parts, (part, image) => {
      table.members.add({ start: startMs, generation, part, image });
    });
    for (const [part, numbers] of byPart(parts)) {
      for (let from = 0; from < numbers.length; from += rowsMax) {
        const list = Uint32Array.from(numbers.slice(from, from + rowsMax));
        const image = this.#write(pane, { list, marks: list });
        bytes += image.length;
        table.pieces.add({ start: startMs, generation, part, image });
      }
    }
    const head = { start: startMs, generation, entries, bytes };
    table.addHead(head);
    this.#heads.push(head);
    this.#kernel.renewPane(address, index);
    this.#check("send a window's groups to scratch disk");
    this.#space.noteLeft();
  }

  /** The part of the key of each entry of a pane. */
  #partsOf(pane: number, entries: number): Uint32Array {
    const { address } = this.#state;
    const at = this.#kernel.placeEntries(address, pane, this.#table?.seed ?? this.#seed);
    this.#check("send a window's groups to scratch disk");
    return this.#words(at, entries).map((hash) => Math.imul(hash, 0x9e3779b1) >>> partShift);
  }

  /** DISTINCT values of a pane go where their groups go. */
  #sendMembers(
    index: number,
    parts: Uint32Array,
    give: (part: number, image: Uint8Array) => void,
  ): void {
    if (!this.#state.layout.hasSets) return;
    const { textSets } = this.#state.layout;
    const sorter = new MemberSorter({ partOf: (entry) => parts[entry] ?? 0, textSets, give });
    for (const list of this.#sets.drain(index)) sorter.add(list);
    sorter.flush();
  }

  #write(pane: number, { list, marks }: { list: Uint32Array; marks: Uint32Array }): Uint8Array {
    const { address } = this.#state;
    const at = this.#memory.allocate(list.byteLength * 2);
    this.#memory.bytes.set(new Uint8Array(list.buffer), at);
    this.#memory.bytes.set(new Uint8Array(marks.buffer), at + list.byteLength);
    this.#kernel.writePiece(address, pane, at, list.length, at + list.byteLength);
    this.#memory.free(at);
    this.#check("send a window's groups to scratch disk");
    return this.#state.takeBlob();
  }

  /** Cuts merged groups, whose places ascend, by what comes out together. */
  #cut(
    { pane, places }: Merged,
    { groups, ordered }: { readonly groups: number; readonly ordered: OrderedPieces },
  ): void {
    for (let from = 0; from < places.length; ) {
      const cut = Math.floor((places[from] ?? 0) / groups);
      let to = from + 1;
      while (to < places.length && Math.floor((places[to] ?? 0) / groups) === cut) to++;
      const list = Uint32Array.from({ length: to - from }, (_, index) => from + index);
      const marks = Uint32Array.from(places.slice(from, to), (place) => place - cut * groups);
      ordered.add(cut, this.#write(pane, { list, marks }));
      from = to;
    }
  }

  #show(
    cut: number,
    options: {
      readonly ordered: OrderedPieces;
      readonly window: Bounds;
      readonly result: StateResult;
      readonly show: (groups: StateResult) => void;
    },
  ): void {
    const { ordered, window, result, show } = options;
    const { address } = this.#state;
    const pane = this.#kernel.newPiece(address, 0);
    const marks: number[] = [];
    ordered.take(cut, (piece) => {
      this.#kernel.readPiece(address, pane, piece);
      this.#check("merge the groups of a window");
      marks.push(...this.#words(piece + pieceHeadBytes, this.#memory.readUint32(piece)));
    });
    const order = Uint32Array.from(marks.keys());
    order.sort((a, b) => (marks[a] ?? 0) - (marks[b] ?? 0));
    const at = this.#memory.place(new Uint8Array(order.buffer));
    const [start, end] = [BigInt(window.startMs), BigInt(window.endMs)];
    this.#kernel.showPiece(address, result.address, pane, at, order.length, start, end);
    this.#memory.free(at);
    this.#check("merge the groups of a window");
    show(result);
    this.#kernel.dropPiece(address, pane);
  }

  /** Words as they lie, copied: `address` need be no multiple of four. */
  #words(address: number, count: number): Uint32Array {
    return new Uint32Array(this.#memory.take(address, count * 4).buffer);
  }

  /** How much of a pane's entries a checkpoint has. */
  #shareToSave(index: number, isFull: boolean): number {
    const entries = this.#field(index, field.entryCount);
    if (isFull || entries === 0 || this.#field(index, field.isWhole) !== 0) return 1;
    return this.#field(index, field.dirtyCount) / entries;
  }

  /** Whether memory would be far over its bound with so much more. */
  #isTooMuch(bytes: number): boolean {
    return this.#space.bytesOver + bytes > this.#space.bytesMax * closingShare;
  }

  get #count(): number {
    return this.#kernel.panes(this.#state.address);
  }

  #startOf(index: number): number {
    return Number(this.#kernel.paneStart(this.#state.address, index));
  }

  #isAway(index: number): boolean {
    return this.#field(index, field.away) !== 0;
  }

  #hasPieces(index: number): boolean {
    return this.#field(index, field.hasPieces) !== 0;
  }

  #field(index: number, at: number): number {
    return this.#memory.readUint32(this.#kernel.paneAt(this.#state.address, index) + at);
  }

  #bytesOf(index: number, { hasSets = true } = {}): number {
    const { address } = this.#state;
    const start = this.#kernel.paneStart(address, index);
    return Number(this.#kernel.bytesBetween(address, start, start + 1n, hasSets ? 1 : 0));
  }

  #generationOf(startMs: number): number {
    return this.#heads.filter(({ start }) => start === startMs).length;
  }

  #check(act: string): void {
    this.#state.check(this.#kernel.failure(this.#state.address), act);
  }
}

/** Numbers of entries by the part of their keys. */
function byPart(parts: Uint32Array): Map<number, number[]> {
  const all = new Map<number, number[]>();
  for (const [number, part] of parts.entries()) {
    const numbers = all.get(part);
    if (numbers === undefined) all.set(part, [number]);
    else numbers.push(number);
  }
  return all;
}

function isWithin(start: number, { startMs, endMs }: Bounds): boolean {
  return start >= startMs && start < endMs;
}

/** Where the entries of each piece begin in the order of a window. */
function placesOf(heads: readonly PieceHead[]): Map<string, number> {
  const sorted = heads.toSorted((a, b) => a.start - b.start || a.generation - b.generation);
  const places = new Map<string, number>();
  let place = 0;
  for (const { start, generation, entries } of sorted) {
    places.set(pieceName({ start, generation }), place);
    place += entries;
  }
  return places;
}

function totalOf(heads: readonly PieceHead[]): {
  readonly entries: number;
  readonly bytes: number;
} {
  const total = { entries: 0, bytes: 0 };
  for (const { entries, bytes } of heads) {
    total.entries += entries;
    total.bytes += bytes;
  }
  return total;
}
