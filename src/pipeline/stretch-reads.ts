/**
 * Reads of stored stretches by the thread that takes them, ahead of it, into memory of its own
 * (ADR 57): of a query that catches up the event loop then sees neither bytes nor reads.
 *
 * Places come in the order in which they are taken. What lies side by side is read at once, in
 * *units* of at most a slot's length, started in that order as slots become free. A unit is only
 * added to while it is one of the last few and has not been started: whoever takes places in their
 * order always finds the slots that it waits for on their way.
 */
import { assert, present } from "../base/assert.ts";
import type { Platform, TimerHandle } from "../base/platform.ts";
import type { StoredPlace, StoredStretch } from "../segment/stored-stretch.ts";
import type { ObjectStore } from "../store/object-store.ts";

/** One system call each; and as many that a few are under way while others are worked on. */
export const slotBytes = 2 * 1024 * 1024;
export const slotCount = 6;
/** Places of a publish are all needed at once; where that takes more, each is read by itself. */
const publishUnitsMax = slotCount / 2;
/** Further back nothing is added to a unit. */
const openUnitsMax = 3;
/** What lies between two places, a footer say, is read rather than asked for around. */
const gapBytesMax = 64 * 1024;
/** Of positions and lengths, so that reads may go past the page cache; objects are padded to it. */
const alignment = 4096;

/**
 * After the last read files are closed, which hold their bytes when they are deleted, and the
 * memory goes: a query at the end of its topics needs neither.
 */
const closeAfterMs = 1_000;

type Store = Pick<ObjectStore, "readInto" | "close">;

export interface StretchReadsOptions {
  readonly platform: Pick<Platform, "clock" | "timers">;
  /** Opened when there is something to read, and closed soon after all of it was. */
  readonly openStore: () => Store;
  /** `slotCount` slots, at an address that reads past the page cache may go to. */
  readonly allocate: () => Uint8Array;
  /** The store was closed, and nobody has the memory any more. */
  readonly onIdle?: () => void;
}

/** A stretch of an object that is read at once. */
interface Unit {
  readonly key: string;
  readonly start: number;
  end: number;
  /** Places that lie in it and were not given back. */
  users: number;
  /** −1: not started. */
  slot: number;
  isLoaded: boolean;
  failure: unknown;
  loaded: Promise<void> | undefined;
}

export class StretchReads {
  readonly #options: StretchReadsOptions;
  readonly #freeSlots: number[] = Array.from({ length: slotCount }, (_, slot) => slot);
  /** Not started, in order. */
  readonly #waiting: Unit[] = [];
  /** The last that were made. */
  #open: Unit[] = [];
  /** By place, in order; none: it is read by itself, when its turn has come. */
  readonly #expected = new Map<StoredPlace, readonly Unit[]>();
  readonly #alone = new Map<StoredPlace, Uint8Array>();
  #store: Store | undefined;
  #memory: Uint8Array | undefined;
  /** Units that have a slot, and reads of what is larger. */
  #inUse = 0;
  #closing: TimerHandle | undefined;
  #waitedMs = 0;
  /** Monotonic; undefined: nobody waits now. */
  #waitsSince: number | undefined;

  constructor(options: StretchReadsOptions) {
    this.#options = options;
  }

  /** Memory that it holds now. */
  get memoryBytes(): number {
    return this.#memory?.length ?? 0;
  }

  /** How long it was waited for reads, in all. What comes while others are worked on took none. */
  get waitedMs(): number {
    const { clock } = this.#options.platform;
    const since = this.#waitsSince;
    return this.#waitedMs + (since === undefined ? 0 : clock.monotonic() - since);
  }

  /** Places by publish, which will be taken after all that were expected before. */
  expect(publishes: readonly (readonly StoredPlace[])[]): void {
    for (const places of publishes) {
      const inOrder = places.toSorted(byPosition);
      const isLarge = unitsMaxOf(inOrder) > publishUnitsMax;
      for (const place of inOrder) {
        this.#expected.set(place, isLarge ? [] : this.#unitsOf(place));
      }
    }
    // Not before: what is started takes no neighbours in.
    this.#start();
  }

  /** Whether `take` need not wait for `arrival`. */
  isHere(places: readonly StoredPlace[]): boolean {
    return places.every((place) => {
      const units = this.#unitsOfExpected(place);
      return units.length > 0 && units.every(({ isLoaded }) => isLoaded);
    });
  }

  /**
   * Resolves when all can be taken, or one has failed, which `take` tells.
   * @throws StreamError as the store's `readInto`
   */
  async arrival(places: readonly StoredPlace[]): Promise<void> {
    this.#waitsSince = this.#options.platform.clock.monotonic();
    try {
      for (const place of places) await this.#arrivalOf(place);
    } finally {
      this.#waitedMs = this.waitedMs;
      this.#waitsSince = undefined;
    }
  }

  /**
   * The bytes of a place that is here, as they are until `give`.
   * @throws StreamError as the store's `readInto`
   */
  take(place: StoredPlace): StoredStretch {
    const { key, position, baseOffset, lastOffset, length } = place;
    const where = { key, position, baseOffset, lastOffset };
    const alone = this.#alone.get(place);
    if (alone !== undefined) return { ...where, pieces: [alone] };
    const pieces: Uint8Array[] = [];
    const end = position + length;
    for (const unit of this.#unitsOfExpected(place)) {
      assert(unit.isLoaded, "a place is here when it is taken");
      if (unit.failure !== undefined) throw unit.failure;
      const from = Math.max(position, unit.start);
      const to = Math.min(end, unit.end);
      const at = unit.slot * slotBytes - alignedDown(unit.start);
      pieces.push(this.#slots().subarray(at + from, at + to));
    }
    return { ...where, pieces };
  }

  /** Nobody looks at the place's bytes any more. */
  give(place: StoredPlace): void {
    const units = this.#unitsOfExpected(place);
    this.#expected.delete(place);
    this.#alone.delete(place);
    for (const unit of units) {
      unit.users -= 1;
      if (unit.users > 0) continue;
      this.#freeSlots.push(unit.slot);
      this.#inUse -= 1;
    }
    this.#start();
    this.#closeIfIdle();
  }

  async #arrivalOf(place: StoredPlace): Promise<void> {
    const units = this.#unitsOfExpected(place);
    if (units.length === 0) await this.#readAlone(place);
    for (const { loaded } of units) {
      assert(loaded !== undefined, "what is taken next is on its way");
      await loaded;
    }
  }

  #unitsOfExpected(place: StoredPlace): readonly Unit[] {
    return present(this.#expected.get(place), "the place was expected");
  }

  async #readAlone(place: StoredPlace): Promise<void> {
    const { key, position, length } = place;
    const bytes = new Uint8Array(length);
    this.#inUse += 1;
    try {
      await this.#openedStore().readInto({ key, position, length }, [bytes]);
      this.#alone.set(place, bytes);
    } finally {
      this.#inUse -= 1;
      this.#closeIfIdle();
    }
  }

  #unitsOf({ key, position, length }: StoredPlace): Unit[] {
    const units: Unit[] = [];
    const end = position + length;
    for (let at = position; at < end; ) {
      const unit = this.#unitAt(key, at);
      unit.end = Math.max(unit.end, Math.min(end, alignedDown(unit.start) + slotBytes));
      unit.users += 1;
      units.push(unit);
      at = unit.end;
    }
    return units;
  }

  /** One that has room for bytes from there on. */
  #unitAt(key: string, position: number): Unit {
    const found = this.#open.find(
      (unit) =>
        unit.key === key &&
        unit.slot < 0 &&
        position >= unit.start &&
        position <= unit.end + gapBytesMax &&
        position < alignedDown(unit.start) + slotBytes,
    );
    if (found !== undefined) return found;
    const unit: Unit = {
      ...{ key, start: position, end: position, users: 0 },
      ...{ slot: -1, isLoaded: false, failure: undefined, loaded: undefined },
    };
    this.#open = [...this.#open.slice(1 - openUnitsMax), unit];
    this.#waiting.push(unit);
    return unit;
  }

  #start(): void {
    while (this.#waiting.length > 0) {
      const slot = this.#freeSlots.pop();
      if (slot === undefined) return;
      const unit = present(this.#waiting.shift(), "a unit waits");
      unit.slot = slot;
      this.#inUse += 1;
      unit.loaded = this.#load(unit);
    }
  }

  async #load(unit: Unit): Promise<void> {
    const { key, slot } = unit;
    const position = alignedDown(unit.start);
    const length = alignedDown(unit.end + alignment - 1) - position;
    const start = slot * slotBytes;
    try {
      const target = this.#slots().subarray(start, start + length);
      await this.#openedStore().readInto({ key, position, length }, [target]);
    } catch (error) {
      unit.failure = error;
    }
    unit.isLoaded = true;
  }

  #slots(): Uint8Array {
    this.#memory ??= this.#options.allocate();
    return this.#memory;
  }

  #openedStore(): Store {
    this.#closing?.cancel();
    this.#store ??= this.#options.openStore();
    return this.#store;
  }

  #closeIfIdle(): void {
    if (this.#inUse > 0 || this.#store === undefined) return;
    this.#closing?.cancel();
    this.#closing = this.#options.platform.timers.after(closeAfterMs, () => {
      const store = this.#store;
      this.#store = undefined;
      this.#memory = undefined;
      // It only read: nothing is lost where that fails.
      store?.close().catch(() => {});
      this.#options.onIdle?.();
    });
  }
}

function alignedDown(position: number): number {
  return position - (position % alignment);
}

/** Of places side by side at most so many units are made. */
function unitsMaxOf(inOrder: readonly StoredPlace[]): number {
  let count = 0;
  let [key, start, end] = ["", 0, 0];
  for (const place of inOrder) {
    const isNeighbour = place.key === key && place.position <= end + gapBytesMax;
    if (!isNeighbour) {
      count += 1 + Math.ceil((end - start) / slotBytes);
      [key, start] = [place.key, place.position];
    }
    end = place.position + place.length;
  }
  return count + Math.ceil((end - start) / slotBytes);
}

function byPosition(left: StoredPlace, right: StoredPlace): number {
  if (left.key !== right.key) return left.key < right.key ? -1 : 1;
  return left.position - right.position;
}
