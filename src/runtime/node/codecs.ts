/**
 * The compression port for every runtime that has `node:zlib`: Bun, Deno and workerd (with
 * `nodejs_compat`). gzip and zstd are zlib's; snappy and lz4 are our kernels (ADR 0002).
 */

import zlib from "node:zlib";
import type { CodecName, Codecs } from "../../base/codecs.ts";
import { joinedBytes } from "../../base/joined-bytes.ts";
import { createLz4 } from "../../base/lz4-frame.ts";
import { createSnappy } from "../../base/snappy.ts";
import { StreamError } from "../../base/stream-error.ts";
import { zstdFramesIn } from "../../base/zstd-frame.ts";

/** Kafka's own default levels. */
const gzipLevel = 6;
const zstdLevel = 3;
/** Of either, where little time is to be spent. */
const quickLevel = 1;

/** zlib hands out its result in chunks of so many bytes, and joins them when there are several. */
const chunkBytesMin = 16 * 1024;
const chunkBytesMax = 1024 * 1024;

/**
 * workerd holds its growing buffer, not the output, to the limit, and so refuses output of 0.7
 * times the limit at some sizes. Twice the bound is room enough; the exact one is checked on the
 * result.
 */
const workerdSlackBytes = 64 * 1024;

export interface CodecOptions {
  readonly snappy: WebAssembly.Module;
  readonly lz4: WebAssembly.Module;
  /** zstd compresses so much at a time, a frame each; absent: everything is one frame. */
  readonly zstdFrameBytesMax?: number;
}

/** Makes the port of the compiled kernels, which get their memories when they are first needed. */
export function createCodecs(modules: CodecOptions): Codecs {
  const { zstdFrameBytesMax = Number.POSITIVE_INFINITY } = modules;
  let snappyMade: ReturnType<typeof createSnappy> | undefined;
  let lz4Made: ReturnType<typeof createLz4> | undefined;
  const snappy = () => (snappyMade ??= createSnappy(modules.snappy));
  const lz4 = () => (lz4Made ??= createLz4(modules.lz4));
  return {
    compress(codec, input, effort = "usual") {
      const isQuick = effort === "little";
      switch (codec) {
        case "none":
          return input.slice();
        case "gzip":
          return owned(
            zlib.gzipSync(input, {
              level: isQuick ? quickLevel : gzipLevel,
              ...chunkFor(input.length),
            }),
          );
        case "snappy":
          return snappy().compress(input);
        case "lz4":
          return lz4().compress(input);
        case "zstd":
          return compressZstd(input, {
            level: isQuick ? quickLevel : zstdLevel,
            zstdFrameBytesMax,
          });
      }
    },
    decompress(codec, input, { sizeMax }) {
      switch (codec) {
        case "none":
          if (input.length > sizeMax) throw tooLarge(codec, sizeMax);
          return input.slice();
        case "gzip":
          return inflate("gzip", { input, sizeMax });
        case "snappy":
          return snappy().decompress(input, { sizeMax });
        case "lz4":
          return lz4().decompress(input, { sizeMax });
        case "zstd":
          return decompressZstd(input, sizeMax);
      }
    },
  };
}

function compressZstd(
  input: Uint8Array,
  options: { readonly level: number; readonly zstdFrameBytesMax: number },
): Uint8Array {
  const { level, zstdFrameBytesMax: frameBytesMax } = options;
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: level };
  const compress = (part: Uint8Array) =>
    owned(zlib.zstdCompressSync(part, { params, ...chunkFor(part.length) }));
  if (input.length <= frameBytesMax) return compress(input);
  const frames: Uint8Array[] = [];
  for (let start = 0; start < input.length; start += frameBytesMax) {
    frames.push(compress(input.subarray(start, start + frameBytesMax)));
  }
  const whole = joinedBytes(frames);
  // workerd's alone, which takes none from a pool.
  for (const { buffer } of frames) if (buffer instanceof ArrayBuffer) buffer.transfer(0);
  return whole;
}

function decompressZstd(input: Uint8Array, sizeMax: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (const { start, end, contentBytes } of zstdFramesIn(input)) {
    const left = sizeMax - total;
    if (contentBytes !== undefined && contentBytes > left) throw tooLarge("zstd", sizeMax);
    const part = inflate("zstd", { input: input.subarray(start, end), sizeMax: left });
    if (contentBytes !== undefined && contentBytes !== part.length) {
      throw corrupt("zstd", `a frame gives ${part.length} bytes and states ${contentBytes}`);
    }
    parts.push(part);
    total += part.length;
  }
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  return joinedBytes(parts);
}

function inflate(
  codec: "gzip" | "zstd",
  { input, sizeMax }: { readonly input: Uint8Array; readonly sizeMax: number },
): Uint8Array {
  const options = {
    maxOutputLength: 2 * sizeMax + workerdSlackBytes,
    ...chunkFor(input.length * 4),
  };
  let output: Uint8Array;
  try {
    output =
      codec === "gzip" ? zlib.gunzipSync(input, options) : zlib.zstdDecompressSync(input, options);
  } catch (cause) {
    if (isOverBound(cause)) throw tooLarge(codec, sizeMax);
    throw corrupt(codec, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (output.length > sizeMax) throw tooLarge(codec, sizeMax);
  return owned(output);
}

/** Bun and Deno throw Node's error, workerd a plain RangeError. */
function isOverBound(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error && error.code === "ERR_BUFFER_TOO_LARGE") return true;
  return error instanceof RangeError && error.message.includes("Memory limit exceeded");
}

/** A chunk that the result is likely to fit in. */
function chunkFor(bytes: number): { readonly chunkSize: number } {
  return { chunkSize: Math.min(chunkBytesMax, Math.max(chunkBytesMin, bytes)) };
}

/** A plain byte array of exactly these bytes, out of zlib's pool or over-long chunk. */
function owned(bytes: Uint8Array): Uint8Array {
  if (bytes.length * 2 < bytes.buffer.byteLength) return new Uint8Array(bytes);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function tooLarge(codec: CodecName, sizeMax: number): StreamError {
  return new StreamError(
    "record_too_large",
    `Cannot decompress ${codec} records: they give more than the ${sizeMax} bytes allowed`,
  );
}

function corrupt(codec: CodecName, what: string, cause?: unknown): StreamError {
  return new StreamError("corrupt_record", `Cannot decompress ${codec} records: ${what}`, {
    cause,
  });
}
