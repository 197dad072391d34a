/**
 * LZ4 frames (lz4_Frame_format.md) for record batches, on the kernel `wasm/lz4.ts`. All numbers are
 * little-endian.
 *
 * | bytes | field                                                                              |
 * |------:|------------------------------------------------------------------------------------|
 * |     4 | magic 04 22 4D 18                                                                  |
 * |     1 | FLG: version 01, then independent, block checksum, content size, content checksum, |
 * |       | reserved, dictionary                                                               |
 * |     1 | BD: bits 4–6 the most a block gives: 4 64 KiB, 5 256 KiB, 6 1 MiB, 7 4 MiB         |
 * |   0/8 | content size                                                                       |
 * |   0/4 | dictionary id                                                                      |
 * |     1 | second byte of the xxHash32 of FLG to here                                         |
 * |     … | blocks: uint32 length (high bit: stored as it is), bytes, uint32 xxHash32 if asked |
 * |     4 | 0: the end                                                                         |
 * |   0/4 | xxHash32 of the content                                                            |
 *
 * Read: all of it but dictionaries, several frames one after another, skippable frames. Written:
 * one frame of independent 64 KiB blocks without checksums (the batch has its CRC), since Java's
 * client takes neither linked blocks nor a second frame.
 */
import { bufferPosition, bufferSlackBytes, KernelMemory } from "./kernel-memory.ts";
import { StreamError } from "./stream-error.ts";

interface Lz4Kernel {
  compress(source: number, length: number, target: number): number;
  /** Bytes written; `malformed` or `overLimit`. */
  decompress(source: number, length: number, target: number, limit: number, lowest: number): number;
  xxhash32(source: number, length: number): number;
}

export interface Lz4 {
  /** Compresses into one frame; the result is a fresh buffer. */
  compress(input: Uint8Array): Uint8Array;
  /**
   * Decompresses one or more frames into a fresh buffer.
   * @throws StreamError `corrupt_record`; `record_too_large` over `sizeMax` bytes.
   */
  decompress(input: Uint8Array, options: { readonly sizeMax: number }): Uint8Array;
}

type Memory = KernelMemory<Lz4Kernel>;

const overLimit = -2;

const frameMagic = 0x184d2204;
const skippableMagic = 0x184d2a50;
const storedBit = 0x8000_0000;

const flag = {
  version: 0xc0,
  version1: 0x40,
  independent: 0x20,
  blockChecksum: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  reserved: 0x02,
  dictionary: 0x01,
} as const;

const writtenBlockBytes = 65536;
const writtenFlags = flag.version1 | flag.independent;
const writtenBlockCode = 4 << 4;

/** Makes the codec of the compiled kernel. Not reentrant, which synchronous calls cannot be. */
export function createLz4(module: WebAssembly.Module): Lz4 {
  const memory: Memory = new KernelMemory(module);
  return {
    compress(input) {
      try {
        return compress(memory, input);
      } finally {
        memory.release();
      }
    },
    decompress(input, { sizeMax }) {
      try {
        return new FrameDecoder(memory, input, sizeMax).decode();
      } finally {
        memory.release();
      }
    },
  };
}

function compress(memory: Memory, input: Uint8Array): Uint8Array {
  const blocks = Math.ceil(input.length / writtenBlockBytes);
  const source = bufferPosition;
  const target = source + input.length + bufferSlackBytes;
  // An incompressible block is replaced by its bytes; until then it may take a little more.
  memory.reserve(target + 15 + blocks * 4 + input.length + writtenBlockBytes / 255 + 64);
  const { bytes, kernel } = memory;
  const view = new DataView(bytes.buffer);
  bytes.set(input, source);
  view.setUint32(target, frameMagic, true);
  bytes[target + 4] = writtenFlags;
  bytes[target + 5] = writtenBlockCode;
  bytes[target + 6] = kernel.xxhash32(target + 4, 2) >>> 8;
  let position = target + 7;
  for (let start = 0; start < input.length; start += writtenBlockBytes) {
    const length = Math.min(writtenBlockBytes, input.length - start);
    let written = kernel.compress(source + start, length, position + 4);
    let header = written;
    if (written >= length) {
      bytes.copyWithin(position + 4, source + start, source + start + length);
      written = length;
      header = length + storedBit;
    }
    view.setUint32(position, header, true);
    position += 4 + written;
  }
  view.setUint32(position, 0, true);
  return memory.take(target, position + 4 - target);
}

interface FrameHeader {
  readonly flags: number;
  readonly blockBytesMax: number;
  readonly contentBytes: number | undefined;
}

/** Decodes all frames of one input into one run of output at the end of the memory. */
class FrameDecoder {
  readonly #memory: Memory;
  readonly #sizeMax: number;
  /** Positions in the memory. */
  #position = bufferPosition;
  readonly #end: number;
  readonly #target: number;
  #view: DataView;
  #written = 0;

  constructor(memory: Memory, input: Uint8Array, sizeMax: number) {
    this.#memory = memory;
    this.#sizeMax = sizeMax;
    this.#end = bufferPosition + input.length;
    this.#target = this.#end + bufferSlackBytes;
    memory.reserve(this.#target);
    memory.bytes.set(input, bufferPosition);
    this.#view = new DataView(memory.bytes.buffer);
  }

  decode(): Uint8Array {
    if (this.#position === this.#end) throw corrupt("there is no frame");
    while (this.#position < this.#end) {
      const magic = this.#uint32("a frame's magic");
      if (magic === frameMagic) this.#frame();
      else if (magic >= skippableMagic && magic < skippableMagic + 16) this.#skip();
      else throw corrupt(`0x${magic.toString(16)} starts no frame`);
    }
    return this.#memory.take(this.#target, this.#written);
  }

  #skip(): void {
    const length = this.#uint32("the length of a skippable frame");
    this.#need(length, "a skippable frame");
    this.#position += length;
  }

  #frame(): void {
    const header = this.#header();
    const frameStart = this.#written;
    for (;;) {
      const stated = this.#uint32("a block's length");
      if (stated === 0) break;
      this.#block(stated, header, frameStart);
    }
    const contentBytes = this.#written - frameStart;
    if (header.contentBytes !== undefined && header.contentBytes !== contentBytes) {
      throw corrupt(`a frame gives ${contentBytes} bytes and states ${header.contentBytes}`);
    }
    if ((header.flags & flag.contentChecksum) !== 0) {
      const found = this.#memory.kernel.xxhash32(this.#target + frameStart, contentBytes) >>> 0;
      if (found !== this.#uint32("the content's checksum")) {
        throw corrupt("the content's checksum differs");
      }
    }
  }

  #header(): FrameHeader {
    const start = this.#position;
    this.#need(2, "a frame's descriptor");
    const flags = this.#view.getUint8(start);
    const blockCode = this.#view.getUint8(start + 1);
    this.#position += 2;
    if ((flags & flag.version) !== flag.version1) throw corrupt("a frame is not of version 1");
    if ((flags & flag.reserved) !== 0 || (blockCode & 0x8f) !== 0 || blockCode < 0x40) {
      throw corrupt("a frame's descriptor has undefined bits");
    }
    if ((flags & flag.dictionary) !== 0) throw corrupt("a frame needs a dictionary");
    let contentBytes: number | undefined;
    if ((flags & flag.contentSize) !== 0) {
      this.#need(8, "a frame's content size");
      const low = this.#uint32("a frame's content size");
      contentBytes = this.#uint32("a frame's content size") * 0x1_0000_0000 + low;
    }
    this.#need(1, "a frame's header checksum");
    const hash = this.#memory.kernel.xxhash32(start, this.#position - start);
    if (this.#view.getUint8(this.#position) !== ((hash >>> 8) & 0xff)) {
      throw corrupt("a frame's header checksum differs");
    }
    this.#position++;
    if (contentBytes !== undefined && contentBytes > this.#left()) throw this.#tooLarge();
    return { flags, blockBytesMax: 2 ** (8 + 2 * (blockCode >>> 4)), contentBytes };
  }

  #block(stated: number, header: FrameHeader, frameStart: number): void {
    const isStored = stated >= storedBit;
    const length = isStored ? stated - storedBit : stated;
    const { blockBytesMax } = header;
    if (length > blockBytesMax) {
      throw corrupt(`a block states ${length} bytes, ${blockBytesMax} are allowed`);
    }
    this.#need(length, "a block");
    const source = this.#position;
    this.#position += length;
    if ((header.flags & flag.blockChecksum) !== 0) {
      const found = this.#memory.kernel.xxhash32(source, length) >>> 0;
      if (found !== this.#uint32("a block's checksum")) throw corrupt("a block's checksum differs");
    }
    // A byte gives 255 at most, so a short block reserves little whatever its frame allows.
    const limit = Math.min(blockBytesMax, this.#left(), isStored ? length : length * 255);
    if (isStored && limit < length) throw this.#tooLarge();
    const to = this.#target + this.#written;
    this.#memory.reserve(to + limit);
    this.#view = new DataView(this.#memory.bytes.buffer);
    if (isStored) {
      this.#memory.bytes.copyWithin(to, source, source + length);
      this.#written += length;
      return;
    }
    const isLinked = (header.flags & flag.independent) === 0;
    const lowest = isLinked ? this.#target + frameStart : to;
    const written = this.#memory.kernel.decompress(source, length, to, limit, lowest);
    if (written === overLimit && limit === this.#left()) throw this.#tooLarge();
    if (written < 0) throw corrupt(`the block at byte ${source - bufferPosition} is malformed`);
    this.#written += written;
  }

  #left(): number {
    return this.#sizeMax - this.#written;
  }

  #need(length: number, what: string): void {
    if (this.#end - this.#position < length) throw corrupt(`${what} is cut off`);
  }

  #uint32(what: string): number {
    this.#need(4, what);
    const value = this.#view.getUint32(this.#position, true);
    this.#position += 4;
    return value;
  }

  #tooLarge(): StreamError {
    return new StreamError(
      "record_too_large",
      `Cannot decompress lz4 records: they give more than the ${this.#sizeMax} bytes allowed`,
    );
  }
}

function corrupt(what: string): StreamError {
  return new StreamError("corrupt_record", `Cannot decompress lz4 records: ${what}`);
}
