/** A stretch of a stored object that lies in memory in pieces, read as if it were one. */
import { present } from "../base/assert.ts";
import { batchLayout, batchPrefixBytes } from "../record/batch-layout.ts";
import { readInt32 } from "../record/big-endian.ts";
import type { Piece } from "./block-cache.ts";

const sizeFieldEnd = batchLayout.batchLength + 4;

export class BlockSpan {
  readonly length: number;
  readonly #pieces: readonly Piece[];
  /** Position of each piece in the span. */
  readonly #starts: readonly number[];

  constructor(pieces: readonly Piece[]) {
    let length = 0;
    this.#starts = pieces.map(({ bytes }) => {
      const start = length;
      length += bytes.length;
      return start;
    });
    this.#pieces = pieces;
    this.length = length;
  }

  /** Size of the batch at `position`, as it states; Infinity when that is cut off. */
  batchBytesAt(position: number): number {
    if (position + sizeFieldEnd > this.length) return Number.POSITIVE_INFINITY;
    const prefix = this.view(position, sizeFieldEnd) ?? this.gathered(position, sizeFieldEnd);
    return readInt32(prefix, batchLayout.batchLength) + batchPrefixBytes;
  }

  /** Number of the piece that has the byte at `position`. */
  pieceAt(position: number): number {
    let index = this.#starts.length - 1;
    while ((this.#starts[index] ?? 0) > position) index--;
    return index;
  }

  /** What the piece lies in. */
  sourcesOf(piece: number): Piece["sources"] {
    return present(this.#pieces[piece], "piece of the span").sources;
  }

  /** A view, where the bytes lie in one piece. */
  view(position: number, length: number): Uint8Array | undefined {
    const index = this.pieceAt(position);
    const start = position - (this.#starts[index] ?? 0);
    const bytes = this.#pieces[index]?.bytes;
    if (bytes === undefined || start + length > bytes.length) return undefined;
    return bytes.subarray(start, start + length);
  }

  /** Views of the bytes in order. */
  views(position: number, length: number): Uint8Array[] {
    const views: Uint8Array[] = [];
    const end = position + length;
    this.#pieces.forEach(({ bytes }, index) => {
      const start = this.#starts[index] ?? 0;
      const from = Math.max(position, start);
      const to = Math.min(end, start + bytes.length);
      if (from < to) views.push(bytes.subarray(from - start, to - start));
    });
    return views;
  }

  /** A small copy. */
  gathered(position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let filled = 0;
    for (const view of this.views(position, length)) {
      bytes.set(view, filled);
      filled += view.length;
    }
    return bytes;
  }
}
