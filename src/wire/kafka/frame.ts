/**
 * Cuts a connection's bytes into frames: an int32 length, big-endian, then as many bytes.
 *
 * A frame that lies within one chunk is a view of it. One that spans chunks is copied once, into a
 * buffer of its own; that buffer is made only when an eighth of a large frame is there, so that a
 * client which announces much and sends little costs what it sent.
 *
 * Where `bufferFor` has a buffer for a large frame the frame is copied there in either case: that
 * is memory which is used again. Chunks of which no view is left are released at once.
 */
import { assert } from "../../base/assert.ts";
import { StreamError } from "../../base/stream-error.ts";

const lengthBytes = 4;

/** Frames up to this size get their buffer at once. */
const eagerBufferBytesMax = 65_536;

/** Part of a larger frame that must be there before its buffer is made. */
const heldShare = 1 / 8;

/** Most parts that are kept without a buffer: tiny chunks cost more than their bytes. */
const heldPartsMax = 4096;

/** A frame up to this size is copied rather than keep a chunk above that size. */
const copiedFrameBytesMax = 16_384;
const keptChunkBytesMax = 65_536;

const nothing = new Uint8Array(0);

export interface FrameSplitterOptions {
  /** Largest frame, its length field not counted. */
  readonly frameBytesMax: number;
  /** A large frame gets its buffer only after `mayBuffer` was called for it. */
  readonly buffersOnDemand?: boolean;
  /** A buffer of just `length` bytes for a large frame that begins with `head`; else undefined. */
  readonly bufferFor?: (length: number, head: Uint8Array) => Uint8Array | undefined;
  /** Nothing of the chunk is held here or by a frame. */
  readonly release?: ((chunk: Uint8Array) => void) | undefined;
}

interface HeldPart {
  readonly bytes: Uint8Array;
  /** What it is a view of, if nothing else is any more. */
  chunk: Uint8Array | undefined;
}

/** Push a chunk, then take frames until there is none; push the next only then. */
export class FrameSplitter {
  readonly #frameBytesMax: number;
  readonly #buffersOnDemand: boolean;
  readonly #bufferFor: (length: number, head: Uint8Array) => Uint8Array | undefined;
  readonly #release: ((chunk: Uint8Array) => void) | undefined;
  #mayBuffer: boolean;
  #chunk: Uint8Array = nothing;
  #position = 0;
  /** A frame is a view of the chunk. */
  #isViewed = false;
  /** Bytes of the length field that came with earlier chunks. */
  readonly #lengthField = new Uint8Array(lengthBytes);
  #lengthFilled = 0;
  /** Size of the frame that spans chunks; -1: none does. */
  #frameBytes = -1;
  #frameFilled = 0;
  /** Its first parts, until it has a buffer. */
  #held: HeldPart[] = [];
  #buffer: Uint8Array | undefined;

  constructor(options: FrameSplitterOptions) {
    const { frameBytesMax, buffersOnDemand = false } = options;
    this.#frameBytesMax = frameBytesMax;
    this.#bufferFor = options.bufferFor ?? (() => undefined);
    this.#release = options.release;
    this.#buffersOnDemand = buffersOnDemand;
    this.#mayBuffer = !buffersOnDemand;
  }

  /** Bytes held of a frame that is not complete; above 0 at the end of the stream: it was cut. */
  get unfinishedBytes(): number {
    return this.#frameBytes < 0 ? this.#lengthFilled : lengthBytes + this.#frameFilled;
  }

  /** Bytes still to come until the frame under way is complete; 0 when its size is not known. */
  get awaitedBytes(): number {
    return this.#frameBytes < 0 ? 0 : this.#frameBytes - this.#frameFilled;
  }

  /** Gives the splitter the next bytes of the stream; the chunk belongs to it and to its frames. */
  push(chunk: Uint8Array): void {
    assert(this.#position === this.#chunk.length, "frames are taken before the next chunk");
    this.#chunk = chunk;
    this.#position = 0;
    this.#isViewed = false;
  }

  /** There is room for the frame under way. */
  mayBuffer(): void {
    this.#mayBuffer = true;
    if (this.#frameBytes < 0) return;
    this.#makeBuffer();
    // It may stay as it is for long: its beginning must not keep a chunk of earlier frames.
    this.#held = this.#held.map(({ bytes, chunk }) => {
      const kept = apart(bytes);
      if (kept === bytes) return { bytes, chunk };
      if (chunk !== undefined) this.#release?.(chunk);
      return { bytes: kept, chunk: undefined };
    });
  }

  /** The stream has ended: the buffer of the frame that it cut, if it had one. */
  abandon(): Uint8Array | undefined {
    const buffer = this.#buffer;
    this.#buffer = undefined;
    this.#held = [];
    this.#chunk = nothing;
    this.#position = 0;
    return buffer;
  }

  /**
   * The next frame without its length, or undefined when it is not complete. It belongs to the
   * caller, and keeps its whole chunk alive where it is a view: small ones are none.
   *
   * Throws StreamError invalid_request at a negative length and request_too_large above the limit;
   * the stream cannot be read on after that.
   */
  next(): Uint8Array | undefined {
    const frame = this.#next();
    // Nothing of it is held while the stream rests.
    if (this.#position === this.#chunk.length) this.#leaveChunk();
    return frame;
  }

  #leaveChunk(): void {
    const chunk = this.#chunk;
    const isViewed = this.#isViewed;
    this.push(nothing);
    if (isViewed || chunk.length === 0 || this.#release === undefined) return;
    const last = this.#held.at(-1);
    if (last?.bytes.buffer === chunk.buffer) last.chunk = chunk;
    else this.#release(chunk);
  }

  #next(): Uint8Array | undefined {
    if (this.#frameBytes < 0) {
      const frameBytes = this.#takeLength();
      if (frameBytes < 0) return undefined;
      const end = this.#position + frameBytes;
      if (end <= this.#chunk.length) {
        const frame = this.#chunk.subarray(this.#position, end);
        this.#position = end;
        return this.#placed(frame);
      }
      this.#frameBytes = frameBytes;
    }
    return this.#gather();
  }

  /** A frame that lies within the chunk: where it may stay. */
  #placed(frame: Uint8Array): Uint8Array {
    let kept = frame;
    if (frame.length <= copiedFrameBytesMax) {
      kept = apart(frame);
    } else {
      const buffer = this.#bufferFor(frame.length, frame);
      buffer?.set(frame);
      kept = buffer ?? frame;
    }
    if (kept === frame) this.#isViewed = true;
    return kept;
  }

  /** Size of the frame that begins here, or -1 when its length field is not complete. */
  #takeLength(): number {
    const chunk = this.#chunk;
    while (this.#lengthFilled < lengthBytes) {
      const byte = chunk[this.#position];
      if (byte === undefined) return -1;
      this.#lengthField[this.#lengthFilled++] = byte;
      this.#position++;
    }
    this.#lengthFilled = 0;
    const [b0 = 0, b1 = 0, b2 = 0, b3 = 0] = this.#lengthField;
    const frameBytes = (b0 << 24) | (b1 << 16) | (b2 << 8) | b3;
    if (frameBytes < 0 || frameBytes > this.#frameBytesMax) this.#refuse(frameBytes);
    return frameBytes;
  }

  #refuse(frameBytes: number): never {
    const bytesMax = this.#frameBytesMax;
    const code = frameBytes < 0 ? "invalid_request" : "request_too_large";
    const message = `Cannot read a frame of ${frameBytes} bytes: 0 to ${bytesMax} are allowed`;
    throw new StreamError(code, message, { details: { frameBytes, bytesMax } });
  }

  /** Adds the rest of the chunk, or what it has of the frame, to the frame that spans chunks. */
  #gather(): Uint8Array | undefined {
    const wanted = this.#frameBytes - this.#frameFilled;
    const part = this.#chunk.subarray(this.#position, this.#position + wanted);
    this.#position += part.length;
    if (this.#buffer === undefined) {
      this.#held.push({ bytes: part, chunk: undefined });
    } else {
      this.#buffer.set(part, this.#frameFilled);
    }
    this.#frameFilled += part.length;
    this.#makeBuffer();
    if (this.#frameFilled < this.#frameBytes) return undefined;
    const frame = this.#buffer;
    this.#frameBytes = -1;
    this.#frameFilled = 0;
    this.#buffer = undefined;
    this.#mayBuffer = !this.#buffersOnDemand;
    return frame;
  }

  #makeBuffer(): void {
    const bytes = this.#frameBytes;
    if (this.#buffer !== undefined) return;
    if (bytes > eagerBufferBytesMax && this.#frameFilled < bytes) {
      const early = !this.#mayBuffer || this.#frameFilled < bytes * heldShare;
      if (early && this.#held.length < heldPartsMax) return;
    }
    const head = this.#held[0]?.bytes ?? nothing;
    const isLarge = bytes > copiedFrameBytesMax;
    const buffer = (isLarge ? this.#bufferFor(bytes, head) : undefined) ?? new Uint8Array(bytes);
    let position = 0;
    for (const part of this.#held) {
      buffer.set(part.bytes, position);
      position += part.bytes.length;
    }
    for (const { chunk } of this.#held) if (chunk !== undefined) this.#release?.(chunk);
    this.#held = [];
    this.#buffer = buffer;
  }
}

/** The bytes in a buffer of their own, unless theirs is small or they fill half of it. */
function apart(bytes: Uint8Array): Uint8Array {
  const { byteLength } = bytes.buffer;
  return byteLength > Math.max(keptChunkBytesMax, bytes.length * 2) ? bytes.slice() : bytes;
}
