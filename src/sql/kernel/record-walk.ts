/**
 * Records of batches as columns: the host's side of `wasm/sql/walk.ts`, and the memory that its
 * columns and the records themselves lie in.
 */
import { assert } from "../../base/assert.ts";
import { StreamError } from "../../base/stream-error.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";
import { inputTailBytes } from "./json-layout.ts";
import { RowBuffer } from "./row-buffer.ts";

/** A batch of data (control batches have no rows), decompressed, with what its header says. */
export interface SourceBatch {
  readonly partition: number;
  readonly baseOffset: number;
  /** The batch's baseTimestamp; with LogAppendTime its maxTimestamp, which then holds for all. */
  readonly timestamp: number;
  readonly isLogAppendTime: boolean;
  readonly recordCount: number;
  /** The bytes behind the header. */
  readonly records: Uint8Array;
}

/** What a decoder reads of records beside their values. */
export interface WantedParts {
  readonly timestamps: boolean;
  readonly keys: boolean;
  readonly headers: boolean;
}

interface WalkKernel {
  walk(frame: number, source: number, length: number, count: number, firstRow: number): number;
  checkText(
    slots: number,
    nulls: number,
    first: number,
    count: number,
    status: number,
    positions: number,
    code: number,
  ): number;
  selectRows(status: number, count: number, selection: number): number;
  hasSome(bytes: number, count: number): number;
}

const frameBytes = 48;

const frameField = {
  baseOffset: 0,
  baseTimestamp: 8,
  isLogAppendTime: 16,
  offsets: 20,
  timestamps: 24,
  keys: 28,
  keyNulls: 32,
  values: 36,
  valueNulls: 40,
  headers: 44,
} as const;

/** Buffers of a slot per row, by what is in them. */
const slotNames = ["offsets", "partitions", "timestamps", "keys", "values", "headers"] as const;

export class RecordWalk {
  readonly kernel: WalkKernel;
  readonly input: RowBuffer;
  readonly slots: Readonly<Record<(typeof slotNames)[number], RowBuffer>>;
  readonly keyNulls: RowBuffer;
  readonly valueNulls: RowBuffer;
  readonly #memory: SqliteMemory;
  readonly #wanted: WantedParts;
  readonly #frame: number;

  constructor(host: SqliteHost, wanted: WantedParts) {
    const { memory } = host;
    this.#memory = memory;
    this.#wanted = wanted;
    this.kernel = host.link<WalkKernel>("walk");
    this.input = new RowBuffer(memory);
    const buffer = () => new RowBuffer(memory);
    const [offsets, partitions, timestamps, keys, values, headers] = slotNames.map(buffer);
    assert(offsets && partitions && timestamps && keys && values && headers, "one of each");
    this.slots = { offsets, partitions, timestamps, keys, values, headers };
    this.keyNulls = buffer();
    this.valueNulls = buffer();
    this.#frame = memory.allocateZeroed(frameBytes);
  }

  /**
   * Takes the batches into the shared memory, one behind the other, and finds their records: rows
   * in the order of the batches. Gives their number. Everything is valid until the next call.
   * @throws StreamError `corrupt_record` when a batch's records are not what its header says.
   */
  walk(batches: readonly SourceBatch[]): number {
    const rowCount = batches.reduce((sum, each) => sum + each.recordCount, 0);
    const bytes = batches.reduce((sum, each) => sum + each.records.length, 0);
    this.#reserve(rowCount, bytes);
    let at = this.input.address;
    let row = 0;
    for (const batch of batches) {
      this.#memory.bytes.set(batch.records, at);
      // What is left of the last call's input behind it must not look like more of this batch.
      this.#memory.bytes.fill(34, at + batch.records.length, at + batch.records.length + 64);
      this.#walkBatch(batch, at, row);
      at += batch.records.length;
      row += batch.recordCount;
    }
    this.#memory.bytes.fill(34, at, at + inputTailBytes);
    return rowCount;
  }

  free(): void {
    for (const name of slotNames) this.slots[name].free();
    this.keyNulls.free();
    this.valueNulls.free();
    this.input.free();
    this.#memory.free(this.#frame);
  }

  #reserve(rowCount: number, bytes: number): void {
    const { slots } = this;
    this.input.reserve(bytes + inputTailBytes);
    slots.offsets.reserve(8 * rowCount);
    slots.partitions.reserve(8 * rowCount);
    slots.values.reserve(8 * rowCount);
    this.valueNulls.reserve(rowCount);
    if (this.#wanted.timestamps) slots.timestamps.reserve(8 * rowCount);
    if (this.#wanted.headers) slots.headers.reserve(8 * rowCount);
    if (this.#wanted.keys) {
      slots.keys.reserve(8 * rowCount);
      this.keyNulls.reserve(rowCount);
    }
    this.#memory.writeUint32(this.#frame + frameField.keyNulls, this.keyNulls.address);
    this.#memory.writeUint32(this.#frame + frameField.valueNulls, this.valueNulls.address);
    for (const name of slotNames) {
      if (name === "partitions") continue;
      this.#memory.writeUint32(this.#frame + frameField[name], slots[name].address);
    }
  }

  #walkBatch(batch: SourceBatch, at: number, row: number): void {
    const { partition, baseOffset, recordCount, records } = batch;
    const { view } = this.#memory;
    view.setBigInt64(this.#frame + frameField.baseOffset, BigInt(baseOffset), true);
    view.setBigInt64(this.#frame + frameField.baseTimestamp, BigInt(batch.timestamp), true);
    const isLogAppendTime = batch.isLogAppendTime ? 1 : 0;
    view.setUint32(this.#frame + frameField.isLogAppendTime, isLogAppendTime, true);
    const walked = this.kernel.walk(this.#frame, at, records.length, recordCount, row);
    if (walked !== recordCount) throw corrupt(batch, walked);
    const { address } = this.slots.partitions;
    new BigInt64Array(view.buffer, address + 8 * row, recordCount).fill(BigInt(partition));
  }
}

function corrupt({ partition, baseOffset, recordCount }: SourceBatch, walked: number): StreamError {
  const state =
    walked < 0
      ? `bytes follow its ${recordCount} records`
      : `record ${walked} of ${recordCount} is not whole`;
  return new StreamError(
    "corrupt_record",
    `Cannot read the batch at offset ${baseOffset} of partition ${partition}: ${state}`,
    { details: { partition, offset: baseOffset } },
  );
}
