/**
 * Names of objects. Numbers are padded so that a listing comes in order, and a key tells whose it
 * is: the collector asks for nothing but the key to know worker epoch and sequence.
 */
import { StreamError } from "../base/stream-error.ts";

/** Where all segments lie. */
export const segmentPrefix = "segments/";

/** Where receipt objects lie. */
export const receiptPrefix = "receipts/";

const segmentPattern = /^segments\/(\d{10,16})\/(\d{12,16})\.segment$/;
const rollingPattern = /^segments\/(\d{10,16})\/(\d{8,16})\.log$/;

const receiptPattern = /^receipts\/(\d{10,16})\/(\d{12,16})(?:-[0-9a-f]{8})?\.receipts$/;

/** Key of a segment that is an object of its own (memory, S3). */
export function segmentKey(segment: { workerEpoch: number; sequence: number }): string {
  return `${workerPrefix(segment.workerEpoch)}${padded(segment.sequence, 12)}.segment`;
}

/** Key of a folder store's rolling file. */
export function rollingFileKey(file: { workerEpoch: number; fileNumber: number }): string {
  return `${workerPrefix(file.workerEpoch)}${padded(file.fileNumber, 8)}.log`;
}

/** What every segment key of one worker epoch begins with. */
export function workerPrefix(workerEpoch: number): string {
  return `${segmentPrefix}${padded(workerEpoch, 10)}/`;
}

/**
 * Key of an object that holds a worker's receipts, of which that of segment `lastSequence` is the
 * last. Several may end with the same one: `tag`, 32 bits, tells them apart.
 */
export function receiptKey(receipts: {
  readonly workerEpoch: number;
  readonly lastSequence: number;
  readonly tag: number;
}): string {
  const { workerEpoch, lastSequence, tag } = receipts;
  const name = `${padded(lastSequence, 12)}-${tag.toString(16).padStart(8, "0")}`;
  return `${receiptPrefix}${padded(workerEpoch, 10)}/${name}.receipts`;
}

/** Reads a key that `receiptKey` made; undefined for any other. */
export function parseReceiptKey(
  key: string,
): { readonly workerEpoch: number; readonly lastSequence: number } | undefined {
  const match = receiptPattern.exec(key);
  if (match === null) return undefined;
  return { workerEpoch: Number(match[1]), lastSequence: Number(match[2]) };
}

export type ParsedSegmentKey =
  | { readonly kind: "segment"; readonly workerEpoch: number; readonly sequence: number }
  | { readonly kind: "rolling"; readonly workerEpoch: number; readonly fileNumber: number };

/** Reads a key that `segmentKey` or `rollingFileKey` made; undefined for any other. */
export function parseSegmentKey(key: string): ParsedSegmentKey | undefined {
  const segment = segmentPattern.exec(key);
  if (segment !== null) {
    return {
      kind: "segment",
      workerEpoch: Number(segment[1]),
      sequence: Number(segment[2]),
    };
  }
  const rolling = rollingPattern.exec(key);
  if (rolling === null) return undefined;
  return { kind: "rolling", workerEpoch: Number(rolling[1]), fileNumber: Number(rolling[2]) };
}

const keyLengthMax = 512;

/** Refuses keys that could leave the store's folder or prefix, or that some store cannot hold. */
export function checkKey(key: string): void {
  const parts = key.split("/");
  const legal =
    key.length > 0 &&
    key.length <= keyLengthMax &&
    /^[A-Za-z0-9._~=/-]+$/.test(key) &&
    parts.every((part) => part !== "" && part !== "." && part !== "..");
  if (legal) return;
  throw new StreamError(
    "invalid_request",
    `Cannot use ${JSON.stringify(key)} as an object key: it takes 1 to ${keyLengthMax} characters ` +
      "of A-Z a-z 0-9 . _ ~ = - between single slashes, and no part may be . or ..",
    { details: { field: "key" } },
  );
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
