/**
 * The cursor of an event stream, read and written where `wire/http/cursor.ts` cannot be: runtimes
 * of before 2025 have no `toBase64`. Layout and meaning stand there.
 */
import { bytesOfBase64 } from "./record-text.ts";

const topicIdEnd = 17;

export interface TopicCursor {
  readonly topicId: string;
  /** Next offset by partition. */
  readonly offsets: readonly number[];
}

export function readCursor(text: string): TopicCursor {
  const [snapshot = "", partition, offset] = text.split(".");
  const bytes = bytesOfBase64(snapshot.replaceAll("-", "+").replaceAll("_", "/"));
  let position = topicIdEnd;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = bytes[position++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  const count = next();
  const least = next();
  const offsets = Array.from({ length: Math.min(count, bytes.length) }, () => least + next());
  if (partition !== undefined && offset !== undefined) {
    offsets[Number.parseInt(partition, 36)] = Number.parseInt(offset, 36);
  }
  return { topicId: base64url(bytes.subarray(1, topicIdEnd)), offsets };
}

export function writeCursor({ topicId, offsets }: TopicCursor): string {
  const bytes = [1, ...bytesOfBase64(topicId.replaceAll("-", "+").replaceAll("_", "/"))];
  const put = (value: number) => {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
    bytes.push(rest);
  };
  const least = offsets.reduce((a, b) => Math.min(a, b), offsets[0] ?? 0);
  put(offsets.length);
  put(least);
  for (const offset of offsets) put(offset - least);
  return base64url(bytes);
}

function base64url(bytes: Iterable<number>): string {
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
