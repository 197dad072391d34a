/**
 * Receipts on their way into the store. The log survives the loss of its metadata only if every
 * acknowledged record can be proved from objects, so the receipt of each publish is carried by the
 * footer of a later segment of the same worker epoch, or by a receipt object when none follows
 * soon. A worker that has a new epoch leaves those of the old one to whoever closed that.
 */
import type { Platform, TimerHandle } from "../base/platform.ts";
import type { PublishReceipt } from "../meta/publish-request.ts";
import type { Receipt } from "../segment/segment.ts";
import { verdictNumber } from "../segment/verdict.ts";

/** After so long without a flush that would carry them, receipts get an object of their own. */
const idleMs = 1000;

/** More than this many receipts leave for their object at once, whatever the traffic. */
const receiptsMax = 1024;

/** Receipts are numbered by the segments of one worker epoch. */
export interface WorkerReceipts {
  readonly workerEpoch: number;
  readonly receipts: readonly Receipt[];
}

export class ReceiptLedger {
  readonly #platform: Platform;
  readonly #writeObject: (receipts: WorkerReceipts) => Promise<void>;
  #workerEpoch = -1;
  #unwritten: Receipt[] = [];
  #timer: TimerHandle | undefined;
  #writing: Promise<void> | undefined;

  /** `writeObject` stores a receipt object durably, or throws and is called again later. */
  constructor(platform: Platform, writeObject: (receipts: WorkerReceipts) => Promise<void>) {
    this.#platform = platform;
    this.#writeObject = writeObject;
  }

  /** Notes what a publish answered. */
  add(
    { workerEpoch, sequence }: { readonly workerEpoch: number; readonly sequence: number },
    receipt: PublishReceipt,
  ): void {
    if (!this.#isOf(workerEpoch)) return;
    this.#unwritten.push(segmentReceipt(sequence, receipt));
    this.#arm();
  }

  /** Takes all that no object holds yet, to be carried by the segment about to be written. */
  take(workerEpoch: number): readonly Receipt[] {
    if (!this.#isOf(workerEpoch)) return [];
    const taken = this.#unwritten.slice(0, receiptsMax);
    this.#unwritten = this.#unwritten.slice(receiptsMax);
    return taken;
  }

  /** The segment that carried `receipts` did not get into the store. */
  putBack({ workerEpoch, receipts }: WorkerReceipts): void {
    if (receipts.length === 0 || !this.#isOf(workerEpoch)) return;
    this.#unwritten = [...receipts, ...this.#unwritten];
    this.#arm();
  }

  /** Forgets everything: whoever closed this worker's epoch has written what it left out. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#unwritten = [];
  }

  /** Writes what is left, for a worker that leaves. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#writing;
    try {
      while (this.#unwritten.length > 0) await this.#write();
    } finally {
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  /** Whether this epoch is the latest met; a later one begins with nothing unwritten. */
  #isOf(workerEpoch: number): boolean {
    if (workerEpoch > this.#workerEpoch) {
      this.clear();
      this.#workerEpoch = workerEpoch;
    }
    return workerEpoch === this.#workerEpoch;
  }

  #arm(): void {
    if (this.#unwritten.length === 0) return;
    this.#timer?.cancel();
    this.#timer = this.#platform.timers.after(idleMs, () => {
      this.#timer = undefined;
      this.#writing = this.#write().catch((error: unknown) => {
        this.#platform.log.warn("receipts not stored, will try again", { error: String(error) });
        this.#arm();
      });
    });
  }

  async #write(): Promise<void> {
    const workerEpoch = this.#workerEpoch;
    const receipts = this.take(workerEpoch);
    if (receipts.length === 0) return;
    try {
      await this.#writeObject({ workerEpoch, receipts });
    } catch (error) {
      this.putBack({ workerEpoch, receipts });
      throw error;
    }
    this.#arm();
  }
}

/** The stored form of a publish's answer. */
export function segmentReceipt(sequence: number, receipt: PublishReceipt): Receipt {
  return {
    sequence,
    publishPosition: receipt.publishPosition,
    publishedAt: receipt.publishedAt,
    entries: receipt.entries.map((entry) => ({
      verdict: verdictNumber(entry.code),
      baseOffset: entry.baseOffset,
      leaderEpoch: entry.leaderEpoch,
      appendedCount: entry.appendedCount,
      skippedCount: entry.skippedCount,
    })),
    groups: receipt.groups.map((group) => verdictNumber(group.code)),
  };
}
