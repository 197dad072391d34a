/**
 * Records of batches as columns: the host's side of `wasm/sql/walk.ts`, and the memory that its
 * columns and the records themselves lie in.
 */
import { assert } from "../../base/assert.ts";
import { StreamError } from "../../base/stream-error.ts";
import { corruptStretch, type StoredStretch } from "../../segment/stored-stretch.ts";
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
  /** The walk is to sum it first. */
  readonly unsummed?: UnsummedBatch;
}

export interface UnsummedBatch {
  /** What the sum is of: the header from its attributes on, and the records behind it. */
  readonly bytes: Uint8Array;
  readonly crc: number;
  /** What it is of. */
  readonly stretch: StoredStretch;
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
  initCrc32c(base: number): void;
  crc32c(previous: number, position: number, length: number, base: number): number;
}

/** Tables and scratch of the checksum kernel. */
const sumBytes = 64 * 1024;
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
  /** Where tables and scratch of the checksum lie; 0: nothing was to be summed. */
  #sums = 0;

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
   * @throws StreamError `corrupt_record` when a batch's records are not what its header says,
   *   `corrupt_segment` when its sum is wrong.
   */
  walk(batches: readonly SourceBatch[]): number {
    const rowCount = batches.reduce((sum, each) => sum + each.recordCount, 0);
    const bytes = batches.reduce((sum, each) => sum + bytesOf(each).length, 0);
    this.#reserve(rowCount, bytes);
    if (batches.some(({ unsummed }) => unsummed !== undefined)) this.#prepareSums();
    let at = this.input.address;
    let row = 0;
    for (const batch of batches) {
      const copied = bytesOf(batch);
      this.#memory.bytes.set(copied, at);
      if (batch.unsummed !== undefined) this.#checkSum(batch.unsummed, at);
      at += copied.length;
      // What is left of the last call's input behind it must not look like more of this batch.
      this.#memory.bytes.fill(34, at, at + 64);
      this.#walkBatch(batch, at - batch.records.length, row);
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
    this.#memory.free(this.#sums);
  }

  #prepareSums(): void {
    if (this.#sums !== 0) return;
    this.#sums = this.#memory.allocate(sumBytes);
    this.kernel.initCrc32c(this.#sums);
  }

  #checkSum({ bytes, crc, stretch }: UnsummedBatch, at: number): void {
    const found = this.kernel.crc32c(0, at, bytes.length, this.#sums) >>> 0;
    if (found === crc) return;
    const [is, states] = [found, crc].map((each) => each.toString(16).padStart(8, "0"));
    throw corruptStretch(stretch, `the CRC-32C of a batch is 0x${is}, it states 0x${states}`);
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

/** What is copied of a batch. */
function bytesOf({ records, unsummed }: SourceBatch): Uint8Array {
  return unsummed?.bytes ?? records;
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
