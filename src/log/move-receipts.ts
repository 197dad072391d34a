/**
 * Before an object goes, receipts of live segments that its footers carry are written into receipt
 * objects. A footer carries receipts of earlier segments of its worker only, so an object is read
 * only when an earlier one of its worker is live; where retention takes the oldest first, none is.
 */
import type { Platform } from "../base/platform.ts";
import { type CarriedReceipt, carriersOfLive, liveCarried } from "../meta/object-index.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { scanSegments } from "../segment/scan.ts";
import type { Receipt } from "../segment/segment.ts";
import { parseSegmentKey, segmentKey, workerPrefix } from "../store/object-keys.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { receiptsPerObject, writeReceipts } from "./receipt-store.ts";

export interface MoveReceiptsParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly store: ObjectStore;
}

/**
 * Returns when all that these objects prove of live segments is durable elsewhere, with how many of
 * them were read for it.
 */
export async function moveReceipts(
  parts: MoveReceiptsParts,
  keys: readonly string[],
): Promise<number> {
  const asked = keys.flatMap((key) => {
    const parsed = parseSegmentKey(key);
    return parsed === undefined ? [] : [{ key, prefix: workerPrefix(parsed.workerEpoch) }];
  });
  if (asked.length === 0) return 0;
  const carriers = await carriersOfLive(parts.database, asked);
  const gathered = new Map<number, Receipt[]>();
  for (const key of carriers) {
    const workerEpoch = parseSegmentKey(key)?.workerEpoch ?? -1;
    const receipts = gathered.get(workerEpoch) ?? [];
    gathered.set(workerEpoch, receipts);
    for await (const carried of receiptsIn(parts, key)) {
      receipts.push(...carried);
      if (receipts.length < receiptsPerObject) continue;
      await moveLive(parts, workerEpoch, receipts.splice(0));
    }
  }
  for (const [workerEpoch, receipts] of gathered) await moveLive(parts, workerEpoch, receipts);
  return carriers.length;
}

/** Footer by footer. An object that is gone, or whole nowhere, proves nothing. */
async function* receiptsIn(
  { platform, store }: MoveReceiptsParts,
  key: string,
): AsyncGenerator<readonly Receipt[], void> {
  const sizeBytes = await store.sizeOf(key);
  if (sizeBytes === undefined) return;
  const findings = scanSegments({
    read: (range) => store.read({ key, ...range }),
    sizeBytes,
    crc32c: platform.crc32c,
    workerEpoch: parseSegmentKey(key)?.workerEpoch ?? -1,
    checkBodies: false,
  });
  for await (const finding of findings) {
    if (finding.kind === "segment") yield finding.footer.receipts;
  }
}

async function moveLive(
  parts: MoveReceiptsParts,
  workerEpoch: number,
  receipts: readonly Receipt[],
): Promise<void> {
  if (receipts.length === 0) return;
  const asked = receipts.map(({ sequence }): CarriedReceipt => {
    return { workerEpoch, sequence, key: segmentKey({ workerEpoch, sequence }) };
  });
  const live = await liveCarried(parts.database, { asked, rolling: workerPrefix(workerEpoch) });
  const moved = receipts.filter(({ sequence }) => live.has(sequence));
  await writeReceipts(parts, { workerEpoch, receipts: moved });
}
