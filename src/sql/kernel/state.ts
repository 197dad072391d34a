/**
 * What the aggregate and the session kernel have in common: a state in SQLite's memory, made from a
 * layout, with its account, its results and its checkpoints.
 */
import { assert } from "../../base/assert.ts";
import { StreamError } from "../../base/stream-error.ts";
import { tableField } from "../memory/column-layout.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";
import type { ValueKind } from "../types/data-type.ts";
import type { SpillSpace } from "./spill-space.ts";
import { planState, relocate, type StateLayout, type StateSpec } from "./state-layout.ts";

/** What both kernels export. */
export interface StateKernel {
  destroy(state: number): void;
  failure(state: number): number;
  bytesHeld(state: number): bigint;
  newResult(state: number): number;
  freeResult(state: number, result: number): void;
  save(state: number, isFull: number, fingerprint: number): number;
  blobAddress(state: number): number;
  blobLength(state: number): number;
  restore(state: number, blob: number, length: number, fingerprint: number): number;
}

/** `Result` in `wasm/sql/parts/result.ts`. */
const overflowField = 76;

/** A Table that a kernel wrote, at `address`, for `RowTable.pointToAddress`. */
export interface KernelTable {
  readonly address: number;
  readonly kinds: readonly ValueKind[];
}

/** The result of a window or of all groups; freed by who asked for it. */
export class StateResult implements KernelTable {
  readonly address: number;
  readonly kinds: readonly ValueKind[];
  readonly #memory: SqliteMemory;
  #release: (() => void) | null;

  constructor(
    memory: SqliteMemory,
    options: {
      readonly address: number;
      readonly kinds: readonly ValueKind[];
      readonly release: () => void;
    },
  ) {
    this.#memory = memory;
    this.address = options.address;
    this.kinds = options.kinds;
    this.#release = options.release;
  }

  get rowCount(): number {
    return this.#memory.readUint32(this.address + tableField.rowCount);
  }

  /**
   * Number of a row (not an index into a selection) of which a sum has more than 128 bits, so that
   * no DECIMAL holds it; null: there is none. Such a row's slot is wrong: it is an error row.
   */
  get overflowRow(): number | null {
    const row = this.#memory.readUint32(this.address + overflowField);
    return row === 0 ? null : row - 1;
  }

  free(): void {
    this.#release?.();
    this.#release = null;
  }
}

export interface StateOptions {
  readonly spec: StateSpec;
  /** Random: keeps senders from choosing keys that collide. No result depends on it. */
  readonly seed: bigint;
  /** What the state may hold; 0: as much as there is. */
  readonly bytesMax: number;
  /** Where goes what is cold when memory is short; absent: everything stays. */
  readonly spill?: SpillSpace | undefined;
}

/** Owns a kernel's state and its layout. */
export class KernelState {
  readonly memory: SqliteMemory;
  readonly layout: StateLayout;
  readonly address: number;
  readonly #kernel: StateKernel;
  readonly #layoutAddress: number;
  readonly #bytesMax: number;
  readonly #spill: SpillSpace | undefined;

  constructor(
    host: SqliteHost,
    kernel: StateKernel,
    options: StateOptions,
    create: (place: { layout: number; seed: bigint; limit: bigint }) => number,
  ) {
    this.memory = host.memory;
    this.#kernel = kernel;
    this.#bytesMax = options.bytesMax;
    this.layout = planState(options.spec);
    this.#layoutAddress = this.memory.allocate(this.layout.words.byteLength);
    this.memory.bytes.set(relocate(this.layout, this.#layoutAddress), this.#layoutAddress);
    this.address = create({
      layout: this.#layoutAddress,
      seed: BigInt.asIntN(64, options.seed),
      limit: BigInt(options.bytesMax),
    });
    if (this.address === 0) throw this.exceeded("start a query");
    this.#spill = options.spill;
    this.#spill?.addHolder(this);
  }

  get bytesHeld(): number {
    return Number(this.#kernel.bytesHeld(this.address));
  }

  exceeded(act: string): StreamError {
    if (this.#bytesMax === 0) return this.memory.exceeded(act);
    const message =
      `Cannot ${act}: the groups of a query may hold ${this.#bytesMax} bytes, ` +
      `and hold ${this.address === 0 ? 0 : this.bytesHeld}. Raise its memory bound, or group less`;
    return new StreamError("sql_memory_exceeded", message, {
      details: { stateBytesMax: this.#bytesMax },
    });
  }

  /** Throws when a kernel's code says so. After that the state is good for nothing but `free`. */
  check(code: number, act: string): void {
    if (code === 0) return;
    if (code === 1) throw this.exceeded(act);
    assert(false, "weights are 1 or −1, and event times are there and within the calendar");
  }

  result(address: number, act: string): StateResult {
    if (address === 0) throw this.exceeded(act);
    return new StateResult(this.memory, {
      address,
      kinds: this.layout.resultKinds,
      release: () => this.#kernel.freeResult(this.address, address),
    });
  }

  newResult(): StateResult {
    return this.result(this.#kernel.newResult(this.address), "show a query's results");
  }

  /**
   * Writes a checkpoint: all there is, or what changed since the last one. A copy for the caller.
   */
  save(isFull: boolean): Uint8Array<ArrayBuffer> {
    const { fingerprint } = this.layout;
    this.check(this.#kernel.save(this.address, isFull ? 1 : 0, fingerprint), "write a checkpoint");
    return this.takeBlob();
  }

  /** A copy of what the kernel wrote for a checkpoint. */
  takeBlob(): Uint8Array<ArrayBuffer> {
    const length = this.#kernel.blobLength(this.address);
    return this.memory.take(this.#kernel.blobAddress(this.address), length);
  }

  /**
   * Reads a checkpoint: first a full one, then its deltas in order. The bytes were checksummed.
   * @throws StreamError `corrupt_state`, `sql_memory_exceeded`
   */
  restore(blob: Uint8Array): void {
    const at = this.memory.place(blob);
    const { fingerprint } = this.layout;
    const code = this.#kernel.restore(this.address, at, blob.length, fingerprint) as RestoreCode;
    this.memory.free(at);
    const reason = restoreFailures[code];
    if (reason === null) return;
    if (code === 4) throw this.exceeded("restore a query");
    throw new StreamError("corrupt_state", `Cannot restore a query: ${reason}`);
  }

  free(): void {
    this.#spill?.removeHolder(this);
    this.#kernel.destroy(this.address);
    this.memory.free(this.#layoutAddress);
  }
}

type RestoreCode = keyof typeof restoreFailures;

const restoreFailures = {
  0: null,
  1: "its checkpoint is not one of these groups",
  2: "its checkpoint was written by a newer version",
  3: "its checkpoint was written by another statement",
  4: "memory is out",
} as const;
