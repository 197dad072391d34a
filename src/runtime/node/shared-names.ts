/**
 * Shared memory in messages to a thread. Each that brings some makes a new object of it over
 * there, whose whole size the engine counts as allocated: with the block cache in each message of a
 * query, garbage was collected a hundred times a second. So each is sent once; after that it has a
 * number.
 */

/** `shared`: the number of the shared memory that it lies in. */
export type SharedPlace = readonly [shared: number, start: number, end: number];

/** What a message must bring along, so that its places can be found. */
export interface SharedNews {
  /** All numbers given before are void. */
  readonly forgets: boolean;
  /** They take the next numbers. */
  readonly buffers: readonly SharedArrayBuffer[];
}

/** Beyond these both sides start over: pools make new ones now and then. */
const namesMax = 64;

/** The sender's side. */
export class SharedNames {
  readonly #names = new Map<SharedArrayBuffer, number>();
  #fresh: SharedArrayBuffer[] = [];

  /** Gives the places that one message tells of, and what it must bring along. */
  inMessage<T>(make: (placeOf: (bytes: Uint8Array<SharedArrayBuffer>) => SharedPlace) => T): {
    readonly made: T;
    readonly news: SharedNews;
  } {
    const forgets = this.#names.size >= namesMax;
    if (forgets) this.#names.clear();
    const made = make((bytes) => this.#placeOf(bytes));
    const buffers = this.#fresh;
    this.#fresh = [];
    return { made, news: { forgets, buffers } };
  }

  #placeOf({ buffer, byteOffset, length }: Uint8Array<SharedArrayBuffer>): SharedPlace {
    let name = this.#names.get(buffer);
    if (name === undefined) {
      name = this.#names.size;
      this.#names.set(buffer, name);
      this.#fresh.push(buffer);
    }
    return [name, byteOffset, byteOffset + length];
  }
}

/** The receiver's side. */
export class SharedViews {
  #views: Uint8Array[] = [];

  /** With each message, before its places are looked for. */
  learn({ forgets, buffers }: SharedNews): void {
    if (forgets) this.#views = [];
    for (const buffer of buffers) this.#views.push(new Uint8Array(buffer));
  }

  at([name, start, end]: SharedPlace): Uint8Array {
    const view = this.#views[name];
    if (view === undefined) throw new Error(`Broken invariant: shared memory ${name} was sent`);
    return view.subarray(start, end);
  }
}

export function isSharedBytes(bytes: Uint8Array): bytes is Uint8Array<SharedArrayBuffer> {
  return bytes.buffer instanceof SharedArrayBuffer;
}
