/**
 * Whoever closes a worker's epoch writes the receipts which that worker left out, so that objects
 * alone still prove every publish. Which those are only the dead worker knew: all are written that
 * the metadata holds of segments that are live. Those it has forgotten were in footers long before.
 */
import { receiptsOfWorker } from "../meta/object-index.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { segmentReceipt } from "./receipt-ledger.ts";
import { type ReceiptStoreParts, receiptsPerObject, writeReceipts } from "./receipt-store.ts";

/** Writes the receipts of a closed epoch's live segments as objects. Safe to repeat. */
export async function adoptReceipts(
  parts: ReceiptStoreParts & { readonly database: SqlDatabase },
  workerEpoch: number,
): Promise<void> {
  let afterSequence = -1;
  for (;;) {
    const page = await receiptsOfWorker(parts.database, {
      workerEpoch,
      afterSequence,
      limit: receiptsPerObject,
    });
    const receipts = page
      .filter(({ isLive }) => isLive)
      .map(({ sequence, receipt }) => segmentReceipt(sequence, receipt));
    await writeReceipts(parts, { workerEpoch, receipts });
    const last = page[page.length - 1];
    if (last === undefined || page.length < receiptsPerObject) return;
    afterSequence = last.sequence;
  }
}
