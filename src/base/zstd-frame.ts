/**
 * The outer structure of zstd frames (RFC 8878), without decompressing. The runtimes' one-call
 * decoders take input that is cut off for its end, and some stop after the first frame, silently;
 * so whoever decodes walks the frames first and hands them over one at a time.
 *
 * | bytes | field                                                                         |
 * |------:|-------------------------------------------------------------------------------|
 * |     4 | magic 28 B5 2F FD                                                             |
 * |     1 | descriptor: bits 6–7 size of content size, 5 single segment, 3 reserved,      |
 * |       | 2 checksum, 0–1 size of dictionary id                                         |
 * |   0/1 | window descriptor, unless single segment                                      |
 * |   0–4 | dictionary id                                                                 |
 * |   0–8 | content size                                                                  |
 * |     … | blocks: 3 bytes (bit 0 last, 1–2 type: raw, RLE, compressed; the rest length) |
 * |   0/4 | checksum                                                                      |
 */
import { StreamError } from "./stream-error.ts";

export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** What the frame states to give; undefined when it does not say. */
  readonly contentBytes: number | undefined;
}

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const contentSizeBytes = [0, 2, 4, 8] as const;
const dictionaryIdBytes = [0, 1, 2, 4] as const;
const rleBlock = 1;
const reservedBlock = 3;

/**
 * Finds the frames of `input`, at least one, which they must fill exactly. Skippable frames are
 * left out.
 * @throws StreamError `corrupt_record`.
 */
export function zstdFramesIn(input: Uint8Array): ZstdFrame[] {
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  const frames: ZstdFrame[] = [];
  let position = 0;
  do {
    need(view, position + 4);
    const magic = view.getUint32(position, true);
    if (magic === frameMagic) {
      const frame = frameAt(view, position);
      frames.push(frame);
      position = frame.end;
    } else if (magic >= skippableMagic && magic < skippableMagic + 16) {
      need(view, position + 8);
      position += 8 + view.getUint32(position + 4, true);
      need(view, position);
    } else {
      throw corrupt(`0x${magic.toString(16)} starts no frame`);
    }
  } while (position < input.length);
  return frames;
}

function frameAt(view: DataView, start: number): ZstdFrame {
  need(view, start + 5);
  const descriptor = view.getUint8(start + 4);
  if ((descriptor & 0x08) !== 0) throw corrupt("a frame's descriptor has undefined bits");
  const isSingleSegment = (descriptor & 0x20) !== 0;
  let position = start + 5 + (isSingleSegment ? 0 : 1);
  position += dictionaryIdBytes[(descriptor & 3) as 0 | 1 | 2 | 3];
  const sizeCode = (descriptor >>> 6) as 0 | 1 | 2 | 3;
  const sizeBytes = sizeCode === 0 && isSingleSegment ? 1 : contentSizeBytes[sizeCode];
  need(view, position + sizeBytes);
  const contentBytes = contentSizeAt(view, position, sizeBytes);
  position += sizeBytes;
  for (let isLast = false; !isLast; ) {
    need(view, position + 3);
    const header = view.getUint16(position, true) + view.getUint8(position + 2) * 65536;
    const type = (header >>> 1) & 3;
    if (type === reservedBlock) throw corrupt("a block is of an undefined type");
    isLast = (header & 1) === 1;
    position += 3 + (type === rleBlock ? 1 : header >>> 3);
  }
  if ((descriptor & 0x04) !== 0) position += 4;
  need(view, position);
  return { start, end: position, contentBytes };
}

function contentSizeAt(view: DataView, position: number, sizeBytes: number): number | undefined {
  switch (sizeBytes) {
    case 1:
      return view.getUint8(position);
    case 2:
      return view.getUint16(position, true) + 256;
    case 4:
      return view.getUint32(position, true);
    case 8:
      return view.getUint32(position + 4, true) * 0x1_0000_0000 + view.getUint32(position, true);
    default:
      return undefined;
  }
}

function need(view: DataView, end: number): void {
  if (end > view.byteLength) throw corrupt(`it is cut off at ${view.byteLength} bytes`);
}

function corrupt(what: string): StreamError {
  return new StreamError("corrupt_record", `Cannot decompress zstd records: ${what}`);
}
