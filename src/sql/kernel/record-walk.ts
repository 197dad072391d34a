/**
 * Records of batches as columns: the host's side of `wasm/sql/walk.ts`, and the memory that its
 * columns and the records themselves lie in.
 */
import { assert } from "../../base/assert.ts";
import { StreamError } from "../../base/stream-error.ts";
import { batchHeaderBytes, batchLayout } from "../../record/batch-layout.ts";
import { corruptStretch, type StoredStretch } from "../../segment/stored-stretch.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";
import { sumInPlaceOf } from "./checksum.ts";
import { inputTailBytes } from "./json-layout.ts";
import { RowBuffer } from "./row-buffer.ts";

interface AboutBatch {
  readonly partition: number;
  readonly baseOffset: number;
  /** The batch's baseTimestamp; with LogAppendTime its maxTimestamp, which then holds for all. */
  readonly timestamp: number;
  readonly isLogAppendTime: boolean;
  readonly recordCount: number;
}

export interface SummedBatch extends AboutBatch {
  /** The bytes behind the header. */
  readonly records: Uint8Array;
  /** Their memory is nobody else's: they were decompressed for this batch. */
  readonly isOwned?: boolean;
  readonly unsummed?: undefined;
}

/** A batch of data (control batches have no rows), decompressed, with what its header says. */
export type SourceBatch = SummedBatch | (AboutBatch & { readonly unsummed: UnsummedBatch });

/** A batch that the walk is to sum first. */
export interface UnsummedBatch {
  /** What the sum is of, in order: the header from its attributes on, and the records behind it. */
  readonly parts: readonly Uint8Array[];
  readonly crc: number;
  /** What it is of. */
  readonly stretch: StoredStretch;
}

/** Of the header, what the sum is of. */
const summedHeaderBytes = batchHeaderBytes - batchLayout.attributes;

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

/** Of the memory. */
interface Range {
  readonly start: number;
  readonly end: number;
}

export class RecordWalk {
  readonly kernel: WalkKernel;
  readonly input: RowBuffer;
  readonly slots: Readonly<Record<(typeof slotNames)[number], RowBuffer>>;
  readonly keyNulls: RowBuffer;
  readonly valueNulls: RowBuffer;
  readonly #memory: SqliteMemory;
  readonly #wanted: WantedParts;
  readonly #frame: number;
  readonly #host: SqliteHost;

  constructor(host: SqliteHost, wanted: WantedParts) {
    const { memory } = host;
    this.#host = host;
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
    const bytes = batches.reduce((sum, each) => sum + bytesIn(each), 0);
    this.#reserve(rowCount, bytes);
    let at = this.input.address;
    let row = 0;
    for (const batch of batches) {
      const records = batch.unsummed === undefined ? at : at + summedHeaderBytes;
      const end = this.#copy(batch, at);
      // What is left of the last call's input behind it must not look like more of this batch.
      this.#memory.bytes.fill(34, end, end + 64);
      this.#walkBatch(batch, { start: records, end }, row);
      at = end;
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

  /** Gives where the copy ends. */
  #copy(batch: SourceBatch, start: number): number {
    const { unsummed } = batch;
    const { bytes } = this.#memory;
    let at = start;
    for (const part of partsOf(batch)) {
      bytes.set(part, at);
      at += part.length;
    }
    if (unsummed !== undefined) this.#checkSum(unsummed, { start, end: at });
    return at;
  }

  #checkSum({ crc, stretch }: UnsummedBatch, { start, end }: Range): void {
    const found = sumInPlaceOf(this.#host)(0, start, end - start);
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

  #walkBatch(batch: SourceBatch, { start, end }: Range, row: number): void {
    const { partition, baseOffset, recordCount } = batch;
    const { view } = this.#memory;
    view.setBigInt64(this.#frame + frameField.baseOffset, BigInt(baseOffset), true);
    view.setBigInt64(this.#frame + frameField.baseTimestamp, BigInt(batch.timestamp), true);
    const isLogAppendTime = batch.isLogAppendTime ? 1 : 0;
    view.setUint32(this.#frame + frameField.isLogAppendTime, isLogAppendTime, true);
    const walked = this.kernel.walk(this.#frame, start, end - start, recordCount, row);
    if (walked !== recordCount) throw corrupt(batch, walked);
    const { address } = this.slots.partitions;
    new BigInt64Array(view.buffer, address + 8 * row, recordCount).fill(BigInt(partition));
  }
}

/** What is copied of a batch. */
function partsOf(batch: SourceBatch): readonly Uint8Array[] {
  return batch.unsummed === undefined ? [batch.records] : batch.unsummed.parts;
}

function bytesIn(batch: SourceBatch): number {
  return partsOf(batch).reduce((sum, { length }) => sum + length, 0);
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
