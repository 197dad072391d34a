/**
 * DISTINCT values of groups that leave in pieces (`window-pieces.ts`): members of the sets of a
 * pane, by the part of their groups' keys, so that those of a part are counted together.
 *
 * An image is, little-endian: u32 members, u32 bytes of texts; per member 16 bytes, as
 * `wasm/sql/parts/fields.ts` has them, its entry being a number in the pane that left; the texts
 */
import type { MemberList } from "./member-sets.ts";

const headBytes = 8;
const memberBytes = 16;
/** Within a member. */
const field = { length: 4, entry: 8, set: 14 } as const;

/** All parts are written when so much waits. */
const waitingBytesMax = 4 * 1024 * 1024;

interface Waiting {
  readonly members: number[];
  readonly texts: Uint8Array[];
  textBytes: number;
}

/** Sorts members into parts, and gives images of those that are together. */
export class MemberSorter {
  readonly #partOf: (entry: number) => number;
  readonly #textSets: ReadonlySet<number>;
  readonly #give: (part: number, image: Uint8Array) => void;
  readonly #waiting = new Map<number, Waiting>();
  #waitingBytes = 0;

  constructor(options: {
    readonly partOf: (entry: number) => number;
    /** Numbers of the sets of texts and blobs. */
    readonly textSets: ReadonlySet<number>;
    readonly give: (part: number, image: Uint8Array) => void;
  }) {
    this.#partOf = options.partOf;
    this.#textSets = options.textSets;
    this.#give = options.give;
  }

  add({ members, texts }: MemberList): void {
    const view = new DataView(members.buffer);
    for (let at = 0; at < members.length; at += memberBytes) {
      const part = this.#partOf(view.getUint32(at + field.entry, true));
      let place = this.#waiting.get(part);
      if (place === undefined) {
        place = { members: [], texts: [], textBytes: 0 };
        this.#waiting.set(part, place);
      }
      const words = [0, 4, 8, 12].map((word) => view.getUint32(at + word, true));
      if (this.#textSets.has(view.getUint16(at + field.set, true))) {
        const [from = 0, length = 0] = words;
        place.texts.push(texts.slice(from, from + length));
        words[0] = place.textBytes;
        place.textBytes += length;
        this.#waitingBytes += length;
      }
      place.members.push(...words);
      this.#waitingBytes += memberBytes;
    }
    if (this.#waitingBytes >= waitingBytesMax) this.flush();
  }

  flush(): void {
    for (const [part, { members, texts, textBytes }] of this.#waiting) {
      const words = Uint32Array.from([members.length / 4, textBytes, ...members]);
      const image = new Uint8Array(words.byteLength + textBytes);
      image.set(new Uint8Array(words.buffer));
      let filled = words.byteLength;
      for (const text of texts) {
        image.set(text, filled);
        filled += text.length;
      }
      this.#give(part, image);
    }
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }
}

/**
 * The members of an image that are of one of `passes` passes, by a hash of their values, with
 * their entries called by `numberOf`: changes the image. Gives how many they are; they stand at
 * its front.
 */
export function pickMembers(
  image: Uint8Array,
  options: {
    readonly pass: number;
    readonly passes: number;
    readonly textSets: ReadonlySet<number>;
    readonly numberOf: (entry: number) => number;
  },
): { readonly count: number; readonly membersAt: number; readonly textsAt: number } {
  const { pass, passes, textSets, numberOf } = options;
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const all = view.getUint32(0, true);
  const textsAt = headBytes + all * memberBytes;
  let count = 0;
  for (let index = 0; index < all; index++) {
    const at = headBytes + index * memberBytes;
    const isText = textSets.has(view.getUint16(at + field.set, true));
    if (passes > 1) {
      const low = view.getUint32(at, true);
      const high = view.getUint32(at + field.length, true);
      const from = textsAt + low;
      const hash = isText ? hashOf(image.subarray(from, from + high)) : hashWords(low, high);
      if (hash % passes !== pass) continue;
    }
    view.setUint32(at + field.entry, numberOf(view.getUint32(at + field.entry, true)), true);
    const to = headBytes + count++ * memberBytes;
    if (to !== at) image.copyWithin(to, at, at + memberBytes);
  }
  return { count, membersAt: headBytes, textsAt };
}

function hashWords(low: number, high: number): number {
  const mixed = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** FNV-1a. */
function hashOf(text: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of text) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
