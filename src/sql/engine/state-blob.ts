/**
 * The parts of a task's state in one piece, as a checkpoint holds them:
 *
 *   0  u8   version, 1
 *   …  per part: u16 LE length of its name, the name (UTF-8), u32 LE length, the bytes
 */
import { freeBytes } from "../../base/free-bytes.ts";
import { StreamError } from "../../base/stream-error.ts";

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const version = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Takes the bytes of its parts, which are good for nothing then. */
export function encodeStateBlob(parts: readonly NamedBytes[]): Uint8Array {
  const names = parts.map(({ name }) => encoder.encode(name));
  let length = 1;
  for (const [index, { bytes }] of parts.entries()) {
    length += 6 + (names[index]?.length ?? 0) + bytes.length;
  }
  const blob = new Uint8Array(length);
  const view = new DataView(blob.buffer);
  blob[0] = version;
  let position = 1;
  for (const [index, { bytes }] of parts.entries()) {
    const name = names[index] ?? new Uint8Array(0);
    view.setUint16(position, name.length, true);
    blob.set(name, position + 2);
    position += 2 + name.length;
    view.setUint32(position, bytes.length, true);
    blob.set(bytes, position + 4);
    position += 4 + bytes.length;
    freeBytes(bytes);
  }
  return blob;
}

/** Views of `blob` by name. @throws StreamError `corrupt_state` */
export function decodeStateBlob(blob: Uint8Array): Map<string, Uint8Array> {
  if (blob[0] !== version) throw corrupt(`it is of version ${blob[0]}`);
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const parts = new Map<string, Uint8Array>();
  try {
    for (let position = 1; position < blob.length; ) {
      const nameEnd = position + 2 + view.getUint16(position, true);
      const name = decoder.decode(blob.subarray(position + 2, nameEnd));
      const end = nameEnd + 4 + view.getUint32(nameEnd, true);
      if (end > blob.length) throw new RangeError("a part is cut");
      parts.set(name, blob.subarray(nameEnd + 4, end));
      position = end;
    }
  } catch (error) {
    throw corrupt(String(error));
  }
  return parts;
}

function corrupt(why: string): StreamError {
  return new StreamError("corrupt_state", `Cannot read a query's state: ${why}`);
}
