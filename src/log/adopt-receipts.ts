/**
 * Whoever closes a worker's epoch writes the receipts which that worker left out, so that objects
 * alone still prove every publish.
 */
import type { Platform } from "../base/platform.ts";
import { isStreamError } from "../base/stream-error.ts";
import { receiptsOfWorker } from "../meta/object-index.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { encodeReceiptObject } from "../segment/receipt-object.ts";
import type { Receipt } from "../segment/segment.ts";
import { receiptKey } from "../store/object-keys.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { segmentReceipt } from "./receipt-ledger.ts";

/**
 * More publishes than a worker can have made since the last segment that carried receipts: it has
 * few flights, and its idle timer writes what they leave within a second.
 */
const receiptsKept = 256;

/** Rows read at once. */
const pageRows = 1024;

export interface ReceiptStoreParts {
  readonly platform: Platform;
  readonly store: ObjectStore;
  readonly database: SqlDatabase;
}

/** Writes the last receipts of a closed epoch as an object. Safe to repeat. */
export async function adoptReceipts(parts: ReceiptStoreParts, workerEpoch: number): Promise<void> {
  let receipts: readonly Receipt[] = [];
  let afterSequence = -1;
  for (;;) {
    const page = await receiptsOfWorker(parts.database, {
      workerEpoch,
      afterSequence,
      limit: pageRows,
    });
    const read = page.map(({ sequence, receipt }) => segmentReceipt(sequence, receipt));
    receipts = [...receipts, ...read].slice(-receiptsKept);
    const last = page[page.length - 1];
    if (last === undefined || page.length < pageRows) break;
    afterSequence = last.sequence;
  }
  await writeReceiptObject(parts, { workerEpoch, receipts });
}

/** Creates the receipt object of these receipts, or finds that somebody already has. */
export async function writeReceiptObject(
  { platform, store }: Pick<ReceiptStoreParts, "platform" | "store">,
  what: { readonly workerEpoch: number; readonly receipts: readonly Receipt[] },
): Promise<void> {
  const last = what.receipts[what.receipts.length - 1];
  if (last === undefined) return;
  const { workerEpoch, receipts } = what;
  const createdAt = platform.clock.now();
  const bytes = encodeReceiptObject({ workerEpoch, createdAt, receipts }, platform.crc32c);
  try {
    await store.create(receiptKey({ workerEpoch, lastSequence: last.sequence }), bytes);
  } catch (error) {
    // The worker itself, or another peer that closed it, wrote the same receipts.
    if (!isStreamError(error, "object_exists")) throw error;
  }
}
