/**
 * Receipt objects on their way into the store. A receipt that is written twice does no harm, one
 * that is missing cannot be made again; so a key that is taken never passes for a success unless
 * the object there holds the very same bytes. It may hold other receipts, or be what a crash left
 * of a write: a folder creates files, it does not create them at once.
 */
import { assert } from "../base/assert.ts";
import type { Platform } from "../base/platform.ts";
import { isStreamError } from "../base/stream-error.ts";
import { encodeReceiptObject } from "../segment/receipt-object.ts";
import type { Receipt } from "../segment/segment.ts";
import { receiptKey } from "../store/object-keys.ts";
import type { ObjectStore } from "../store/object-store.ts";
import type { WorkerReceipts } from "./receipt-ledger.ts";

/** Receipts in one object at most. */
export const receiptsPerObject = 1024;

export interface ReceiptStoreParts {
  readonly platform: Platform;
  readonly store: ObjectStore;
}

/**
 * Stores these receipts durably, in objects of bounded size. Safe to repeat: the same receipts make
 * the same objects. Errors: those of the store.
 */
export async function writeReceipts(
  parts: ReceiptStoreParts,
  { workerEpoch, receipts }: WorkerReceipts,
): Promise<void> {
  for (let start = 0; start < receipts.length; start += receiptsPerObject) {
    await writeObject(parts, workerEpoch, receipts.slice(start, start + receiptsPerObject));
  }
}

async function writeObject(
  { platform, store }: ReceiptStoreParts,
  workerEpoch: number,
  receipts: readonly Receipt[],
): Promise<void> {
  let lastSequence = -1;
  let createdAt = 0;
  for (const { sequence, publishedAt } of receipts) {
    lastSequence = Math.max(lastSequence, sequence);
    createdAt = Math.max(createdAt, publishedAt);
  }
  assert(lastSequence >= 0, "receipts have sequences");
  const bytes = encodeReceiptObject({ workerEpoch, createdAt, receipts }, platform.crc32c);
  const contentTag = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4);
  try {
    await store.create(receiptKey({ workerEpoch, lastSequence, tag: contentTag }), bytes);
  } catch (error) {
    if (!isStreamError(error, "object_exists")) throw error;
    const tag = new DataView(platform.random.bytes(4).buffer).getUint32(0);
    await store.create(receiptKey({ workerEpoch, lastSequence, tag }), bytes);
  }
}
