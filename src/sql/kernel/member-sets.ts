/**
 * The sets of DISTINCT values of an aggregate's state (`wasm/sql/parts/sets.ts`): their part of
 * checkpoints, and their way to scratch disk and back when memory is short.
 *
 * A segment is written whole and leaves memory. What comes for it waits in memory, and is counted
 * when the segment is fetched: `settle`, before anybody reads groups. So a row never waits for the
 * disk, a segment is read once per commit at most, and results do not depend on what was where.
 * A checkpoint's delta asks for a segment only if it has changed.
 */

import type { AwayPanes, PaneKernel } from "./away-panes.ts";
import type { SpilledRun, SpillSpace } from "./spill-space.ts";
import type { KernelState } from "./state.ts";

/** Members as `wasm/sql/parts/fields.ts` has them, and where their texts lie. */
export interface MemberList {
  readonly members: Uint8Array<ArrayBuffer>;
  readonly texts: Uint8Array<ArrayBuffer>;
}

export interface SetKernel extends PaneKernel {
  dropSegment(state: number, segment: number): void;
  hasSets(state: number, index: number): number;
  segmentOfPane(state: number, index: number, segment: number): number;
  isSegmentDirty(segment: number, isFull: number): number;
  saveSegment(state: number, index: number, segment: number, isFull: number): number;
  restoreSegment(state: number, chunk: number): number;
  settleSets(state: number): void;
  leaveSegment(state: number, segment: number): void;
  makeRoom(state: number, segment: number): number;
  comeBack(state: number, index: number, segment: number): number;
}

/** `wasm/sql/parts/fields.ts`: keep in step. */
const segmentCount = 32;
const memberBytes = 16;
const chunkHeadBytes = 24;
const field = { members: 0, bytes: 12, away: 48, pending: 52 } as const;

interface AwaySegment {
  readonly paneStart: number;
  readonly members: SpilledRun;
  readonly bytes: SpilledRun;
}

interface SegmentPlace {
  readonly pane: number;
  readonly segment: number;
  readonly address: number;
}

export class MemberSets {
  readonly #kernel: SetKernel;
  readonly #state: KernelState;
  readonly #panes: AwayPanes;
  readonly #space: SpillSpace | null;
  /** By the segment's address, which stays while its pane lives. */
  readonly #away = new Map<number, AwaySegment>();

  constructor(
    kernel: SetKernel,
    options: {
      readonly state: KernelState;
      readonly panes: AwayPanes;
      readonly space: SpillSpace | null;
    },
  ) {
    this.#kernel = kernel;
    this.#state = options.state;
    this.#panes = options.panes;
    this.#space = options.space;
  }

  /** Segments that are on scratch disk. */
  get awayCount(): number {
    return this.#away.size;
  }

  /** Sends segments to scratch disk, those of the oldest panes first, until memory is enough. */
  spill(): void {
    const space = this.#space;
    if (space === null || space.bytesOver <= 0) return;
    const places = [...this.#places()];
    for (const place of places.toSorted((a, b) => this.#rank(a) - this.#rank(b))) {
      if (space.bytesOver <= 0) return;
      if (!this.#away.has(place.address) && this.#count(place, field.members) > 0) {
        this.#leave(place);
      }
    }
    // What waits for segments that are away takes memory too.
    for (const place of places) {
      if (space.bytesOver <= 0) return;
      this.#settleOne(place);
    }
  }

  /** Counts what has waited. Comes before groups are read. */
  settle(): void {
    if (this.#away.size === 0) return;
    for (const place of this.#places()) this.#settleOne(place);
  }

  /** Fetches all segments of the panes from `start` to before `end`, whose members will be read. */
  fetch(start: number, end: number): void {
    if (this.#away.size === 0) return;
    for (const place of this.#places()) {
      const away = this.#away.get(place.address);
      if (away !== undefined && away.paneStart >= start && away.paneStart < end) {
        this.#comeBack(place, away);
      }
    }
  }

  /**
   * Gives the segments of a pane one by one, where they are in memory and all that waited is
   * counted. Each is empty afterwards: its members are the caller's.
   */
  *drain(pane: number): Generator<MemberList> {
    const { address: state, memory } = this.#state;
    if (this.#kernel.hasSets(state, pane) === 0) return;
    for (let segment = 0; segment < segmentCount; segment++) {
      const address = this.#kernel.segmentOfPane(state, pane, segment);
      const place = { pane, segment, address };
      const away = this.#away.get(address);
      if (away !== undefined) this.#comeBack(place, away);
      const count = this.#count(place, field.members);
      if (count === 0) continue;
      const members = memory.take(this.#listAt(place, field.members), count * memberBytes);
      const texts = memory.take(this.#listAt(place, field.bytes), this.#count(place, field.bytes));
      this.#kernel.dropSegment(state, address);
      yield { members, texts };
    }
  }

  /** Panes that start before this will be dropped. */
  forgetBefore(start: number): void {
    for (const [address, away] of this.#away) {
      if (away.paneStart < start) this.#forget(address, away);
    }
  }

  /** Chunks of a checkpoint. Everything must be settled. */
  save(isFull: boolean): Uint8Array<ArrayBuffer>[] {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    const full = isFull ? 1 : 0;
    for (const place of this.#places()) {
      if (this.#kernel.isSegmentDirty(place.address, full) === 0) continue;
      const away = this.#away.get(place.address);
      if (away !== undefined) this.#fill(place, away);
      const { address } = this.#state;
      const code = this.#kernel.saveSegment(address, place.pane, place.segment, full);
      this.#state.check(code, "write a checkpoint");
      chunks.push(this.#state.takeBlob());
      // It has not changed, so that what lies on disk is still good.
      if (away !== undefined) this.#kernel.leaveSegment(address, place.address);
    }
    return chunks;
  }

  /**
   * Reads the chunks of a checkpoint, whose groups were read, one by one: together they may be more
   * than memory.
   */
  restore(chunks: Uint8Array): void {
    const { memory, address } = this.#state;
    this.#prune();
    const view = new DataView(chunks.buffer, chunks.byteOffset, chunks.length);
    const panes = new Map<bigint, number>();
    for (let pane = 0; pane < this.#kernel.panes(address); pane++) {
      panes.set(this.#kernel.paneStart(address, pane), pane);
    }
    for (let position = 0; position < chunks.length; ) {
      const segment = view.getUint32(position + 8, true);
      const count = view.getUint32(position + 12, true);
      const length = chunkHeadBytes + count * memberBytes + view.getUint32(position + 16, true);
      this.#return(panes.get(view.getBigInt64(position, true)), segment);
      const at = memory.place(chunks.subarray(position, position + length));
      const code = this.#kernel.restoreSegment(address, at);
      memory.free(at);
      this.#state.check(code, "restore a query");
      position += length;
      this.spill();
    }
    this.settle();
    this.#kernel.settleSets(address);
  }

  /** Gives the disk back. */
  free(): void {
    for (const [address, away] of this.#away) this.#forget(address, away);
  }

  *#places(): Generator<SegmentPlace> {
    const { address: state } = this.#state;
    const panes = this.#kernel.panes(state);
    for (let pane = 0; pane < panes; pane++) {
      if (this.#kernel.hasSets(state, pane) === 0) continue;
      for (let segment = 0; segment < segmentCount; segment++) {
        const address = this.#kernel.segmentOfPane(state, pane, segment);
        yield { pane, segment, address };
      }
    }
  }

  /** Forgets segments whose panes went with a checkpoint that does not list them. */
  #prune(): void {
    if (this.#away.size === 0) return;
    const live = new Set<number>();
    for (const { address } of this.#places()) {
      if (this.#state.memory.readUint32(address + field.away) !== 0) live.add(address);
    }
    for (const [address, away] of this.#away) {
      if (!live.has(address)) this.#forget(address, away);
    }
  }

  /** Old panes first, then large segments. */
  #rank(place: SegmentPlace): number {
    return place.pane - this.#count(place, field.members) / 2 ** 32;
  }

  #count({ address }: SegmentPlace, list: number): number {
    return this.#state.memory.readUint32(address + list + 4);
  }

  #listAt({ address }: SegmentPlace, list: number): number {
    return this.#state.memory.readUint32(address + list);
  }

  #leave(place: SegmentPlace): void {
    const space = this.#space;
    if (space === null) return;
    const { address: state } = this.#state;
    const write = (list: number, width: number) =>
      space.write(this.#listAt(place, list), this.#count(place, list) * width);
    const members = write(field.members, memberBytes);
    const bytes = write(field.bytes, 1);
    const paneStart = Number(this.#kernel.paneStart(state, place.pane));
    this.#away.set(place.address, { paneStart, members, bytes });
    this.#kernel.leaveSegment(state, place.address);
  }

  /** Brings members and bytes back, which cannot be found yet. */
  #fill(place: SegmentPlace, away: AwaySegment): void {
    const hasRoom = this.#kernel.makeRoom(this.#state.address, place.address) !== 0;
    if (!hasRoom) throw this.#state.exceeded("fetch a query's distinct values");
    this.#space?.read(away.members, this.#listAt(place, field.members));
    this.#space?.read(away.bytes, this.#listAt(place, field.bytes));
  }

  #comeBack(place: SegmentPlace, away: AwaySegment): void {
    this.#fill(place, away);
    // What has waited is counted in the groups of the pane.
    this.#panes.fetchAt(place.pane);
    const isBack = this.#kernel.comeBack(this.#state.address, place.pane, place.address) !== 0;
    if (!isBack) throw this.#state.exceeded("count a query's distinct values");
    this.#forget(place.address, away);
  }

  /** What a checkpoint adds to a segment is counted already: it must not wait to be counted. */
  #return(pane: number | undefined, segment: number): void {
    if (pane === undefined || this.#kernel.hasSets(this.#state.address, pane) === 0) return;
    const address = this.#kernel.segmentOfPane(this.#state.address, pane, segment);
    const away = this.#away.get(address);
    if (away !== undefined) this.#comeBack({ pane, segment, address }, away);
  }

  #settleOne(place: SegmentPlace): void {
    const away = this.#away.get(place.address);
    if (away === undefined || this.#count(place, field.pending) === 0) return;
    this.#comeBack(place, away);
    if ((this.#space?.bytesOver ?? 0) > 0) this.#leave(place);
  }

  #forget(address: number, { members, bytes }: AwaySegment): void {
    this.#away.delete(address);
    this.#space?.free(members);
    this.#space?.free(bytes);
  }
}
