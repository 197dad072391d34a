/**
 * Late rows and rows in error on their way to their topics, as record batches of a bounded size.
 */
import type { Platform } from "../../base/platform.ts";
import { encodeBatch, type RecordInput } from "../../record/batch-encode.ts";
import type { SideRow } from "./operator.ts";
import { type OutputBatch, sideRecord } from "./task-output.ts";

/** A batch goes from this size on. */
const batchBytes = 256 * 1024;
/** What a batch takes besides the values of its records: headers, and some bytes of each. */
const batchRoomBytes = 128;
const recordRoomBytes = 32;

type SideKind = "late" | "error";

interface Waiting {
  readonly records: RecordInput[];
  bytes: number;
  count: number;
}

export class SideOutput {
  readonly #platform: Pick<Platform, "codecs" | "crc32c">;
  readonly #bytesMax: number;
  readonly #onBatch: (batch: OutputBatch) => void;
  readonly #waiting: Readonly<Record<SideKind, Waiting>> = {
    late: { records: [], bytes: 0, count: 0 },
    error: { records: [], bytes: 0, count: 0 },
  };

  constructor(
    platform: Pick<Platform, "codecs" | "crc32c">,
    options: {
      /** `max.message.bytes` of its topics, the lesser. */
      readonly batchBytesMax: number;
      readonly onBatch: (batch: OutputBatch) => void;
    },
  ) {
    const { batchBytesMax, onBatch } = options;
    this.#bytesMax = batchBytesMax - batchRoomBytes;
    this.#platform = platform;
    this.#onBatch = onBatch;
  }

  get lateCount(): number {
    return this.#waiting.late.count;
  }

  get errorCount(): number {
    return this.#waiting.error.count;
  }

  /** Both, for checkpoints. */
  get counts(): number[] {
    return [this.lateCount, this.errorCount];
  }

  set counts([late = 0, error = 0]: readonly number[]) {
    this.#waiting.late.count = late;
    this.#waiting.error.count = error;
  }

  add(kind: SideKind, row: SideRow, timestamp: number): void {
    const waiting = this.#waiting[kind];
    const value = sideRecord(row, this.#bytesMax);
    const bytes = value.length + recordRoomBytes;
    if (waiting.bytes + bytes > this.#bytesMax) this.#send(kind);
    waiting.records.push({ timestamp, key: null, value });
    waiting.bytes += bytes;
    waiting.count += 1;
    if (waiting.bytes >= batchBytes) this.#send(kind);
  }

  flush(): void {
    this.#send("late");
    this.#send("error");
  }

  #send(kind: SideKind): void {
    const waiting = this.#waiting[kind];
    const records = waiting.records.splice(0);
    waiting.bytes = 0;
    if (records.length === 0) return;
    const bytes = encodeBatch({ records, codec: "none" }, this.#platform);
    this.#onBatch({ kind, partition: 0, bytes, recordCount: records.length });
  }
}
