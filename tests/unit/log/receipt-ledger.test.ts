import { describe, expect, test } from "bun:test";
import { ReceiptLedger, type WorkerReceipts } from "../../../src/log/receipt-ledger.ts";
import type { PublishReceipt } from "../../../src/meta/publish-request.ts";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

const receipt: PublishReceipt = { publishPosition: 1, publishedAt: 2, entries: [], groups: [] };

function openLedger() {
  const platform = createVirtualPlatform({ seed: 1 });
  const written: WorkerReceipts[] = [];
  const ledger = new ReceiptLedger(platform, async (receipts) => {
    written.push(receipts);
  });
  return { platform, ledger, written };
}

describe("ReceiptLedger", () => {
  test("receipts of a lost epoch do not go into segments of the next", () => {
    const { ledger } = openLedger();
    ledger.add({ workerEpoch: 1, sequence: 9 }, receipt);
    expect(ledger.take(2)).toEqual([]);
    ledger.putBack({
      workerEpoch: 1,
      receipts: [{ sequence: 9, ...receipt, groups: [], entries: [] }],
    });
    ledger.add({ workerEpoch: 1, sequence: 10 }, receipt);
    expect(ledger.take(2)).toEqual([]);
  });

  test("an idle worker's receipts are written under the epoch that they are of", async () => {
    const { platform, ledger, written } = openLedger();
    ledger.add({ workerEpoch: 3, sequence: 4 }, receipt);
    await platform.advance(2_000);
    expect(
      written.map(({ workerEpoch, receipts }) => [workerEpoch, receipts[0]?.sequence]),
    ).toEqual([[3, 4]]);
  });

  test("a worker that leaves writes all that is left", async () => {
    const { platform, ledger, written } = openLedger();
    for (let sequence = 0; sequence < 2_500; sequence++) {
      ledger.add({ workerEpoch: 3, sequence }, receipt);
    }
    await ledger.close();
    expect(written.map(({ receipts }) => receipts.length)).toEqual([1024, 1024, 452]);
    await platform.advance(5_000);
    expect(written).toHaveLength(3);
  });
});
