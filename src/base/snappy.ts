/**
 * Snappy for record batches, on the kernel `wasm/snappy.ts`. Two forms exist. Java's clients frame
 * (snappy-java's SnappyOutputStream); librdkafka, franz-go and most others write one raw stream.
 * All of them read both. We read both and write Java's:
 *
 * | position | bytes | field                                              |
 * |---------:|------:|----------------------------------------------------|
 * |        0 |     8 | magic 82 53 4E 41 50 50 59 00                      |
 * |        8 |     4 | version, int32 big-endian: 1                       |
 * |       12 |     4 | oldest version that can read it: 1                 |
 * |       16 |     … | blocks: int32 big-endian length, then a raw stream |
 *
 * A raw stream cannot start like the magic: its second byte would be a literal longer than the rest
 * of the bytes that stand there. Framed streams may follow one another.
 */
import { bufferPosition, bufferSlackBytes, KernelMemory } from "./kernel-memory.ts";
import { StreamError } from "./stream-error.ts";

interface SnappyKernel {
  compress(source: number, length: number, target: number): number;
  decompress(source: number, length: number, target: number, expected: number): number;
}

export interface Snappy {
  /** Compresses into the framed form; the result is a fresh buffer. */
  compress(input: Uint8Array): Uint8Array;
  /**
   * Decompresses either form into a fresh buffer.
   * @throws StreamError `corrupt_record`; `record_too_large` over `sizeMax` bytes.
   */
  decompress(input: Uint8Array, options: { readonly sizeMax: number }): Uint8Array;
}

const magic = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0);
const frameHeaderBytes = 16;
const blockBytes = 65536;
const blockBoundBytes = 32 + blockBytes + Math.ceil(blockBytes / 6);

/** Three bytes give 64 at most: a stream that states more is corrupt, whatever follows. */
const ratioMax = 22;

/** A raw stream within the input. */
interface RawStream {
  /** Of its elements, behind the stated length. */
  readonly start: number;
  readonly end: number;
  readonly plainBytes: number;
}

/** Makes the codec of the compiled kernel. Not reentrant, which synchronous calls cannot be. */
export function createSnappy(module: WebAssembly.Module): Snappy {
  const memory = new KernelMemory<SnappyKernel>(module);
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
        return decompress(memory, input, sizeMax);
      } finally {
        memory.release();
      }
    },
  };
}

function compress(memory: KernelMemory<SnappyKernel>, input: Uint8Array): Uint8Array {
  const source = bufferPosition;
  const target = source + input.length + bufferSlackBytes;
  const blocks = Math.ceil(input.length / blockBytes);
  memory.reserve(target + frameHeaderBytes + blocks * (4 + blockBoundBytes));
  const { bytes, kernel } = memory;
  bytes.set(input, source);
  bytes.set(magic, target);
  const view = new DataView(bytes.buffer);
  view.setInt32(target + 8, 1);
  view.setInt32(target + 12, 1);
  let position = target + frameHeaderBytes;
  for (let start = 0; start < input.length; start += blockBytes) {
    const length = Math.min(blockBytes, input.length - start);
    const written = kernel.compress(source + start, length, position + 4);
    view.setInt32(position, written);
    position += 4 + written;
  }
  return memory.take(target, position - target);
}

function decompress(
  memory: KernelMemory<SnappyKernel>,
  input: Uint8Array,
  sizeMax: number,
): Uint8Array {
  const streams = isFramed(input, 0) ? framedStreams(input) : [rawStream(input, 0, input.length)];
  let plainBytes = 0;
  for (const stream of streams) {
    plainBytes += stream.plainBytes;
    if (plainBytes > sizeMax) {
      throw new StreamError(
        "record_too_large",
        `Cannot decompress snappy records of ${plainBytes} bytes or more: ${sizeMax} are allowed`,
      );
    }
  }
  const source = bufferPosition;
  const target = source + input.length + bufferSlackBytes;
  memory.reserve(target + plainBytes);
  const { bytes, kernel } = memory;
  bytes.set(input, source);
  let position = target;
  for (const { start, end, plainBytes: expected } of streams) {
    if (kernel.decompress(source + start, end - start, position, expected) === 0) {
      throw corrupt(`the stream at byte ${start} does not give the ${expected} bytes it states`);
    }
    position += expected;
  }
  return memory.take(target, plainBytes);
}

function isFramed(input: Uint8Array, position: number): boolean {
  if (input.length - position < frameHeaderBytes) return false;
  return magic.every((byte, index) => input[position + index] === byte);
}

/** Finds the raw streams of one or several framed ones; none is decompressed yet. */
function framedStreams(input: Uint8Array): RawStream[] {
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  const streams: RawStream[] = [];
  let position = 0;
  while (position < input.length) {
    if (isFramed(input, position)) {
      const oldest = view.getInt32(position + 12);
      if (oldest !== 1) throw corrupt(`its framing needs version ${oldest}, this is 1`);
      position += frameHeaderBytes;
      continue;
    }
    if (input.length - position < 4) throw corrupt("a block's length is cut off");
    const length = view.getInt32(position);
    position += 4;
    if (length <= 0 || length > input.length - position) {
      throw corrupt(`a block states ${length} bytes, ${input.length - position} are left`);
    }
    streams.push(rawStream(input, position, position + length));
    position += length;
  }
  return streams;
}

/** Reads the stated length of a raw stream, an unsigned varint of 32 bits. */
function rawStream(input: Uint8Array, from: number, end: number): RawStream {
  let plainBytes = 0;
  let position = from;
  for (let scale = 1; ; scale *= 128) {
    const byte = position < end ? (input[position++] as number) : undefined;
    if (byte === undefined || position - from > 5) throw corrupt("its stated length is malformed");
    plainBytes += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  if (plainBytes > 0xffff_ffff || plainBytes > (end - position) * ratioMax) {
    throw corrupt(`it states ${plainBytes} bytes, more than ${end - position} can give`);
  }
  return { start: position, end, plainBytes };
}

function corrupt(what: string): StreamError {
  return new StreamError("corrupt_record", `Cannot decompress snappy records: ${what}`);
}
