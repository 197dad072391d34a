/** Memory of a kernel that is used again from call to call and grows with what is asked. */
import type { SqliteMemory } from "../sqlite/memory.ts";

/** Past this, memory that one large value took is given back when it is no longer needed. */
const keptBytesMax = 4 * 1024 * 1024;

export class RowBuffer {
  readonly #memory: SqliteMemory;
  #address = 0;
  #bytes = 0;

  constructor(memory: SqliteMemory) {
    this.#memory = memory;
  }

  get address(): number {
    return this.#address;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Makes room for `bytes`; what was in it is lost when the address changes.
   * @throws StreamError `sql_memory_exceeded`
   */
  reserve(bytes: number): number {
    const isExcess = this.#bytes > keptBytesMax && bytes <= keptBytesMax / 2;
    if (bytes <= this.#bytes && !isExcess) return this.#address;
    this.free();
    // Half as much again, so that batches that grow slowly do not move it each time.
    const target = bytes <= keptBytesMax / 2 ? Math.ceil(bytes * 1.5) : bytes;
    this.#address = this.#memory.allocate(target);
    this.#bytes = target;
    return this.#address;
  }

  free(): void {
    this.#memory.free(this.#address);
    this.#address = 0;
    this.#bytes = 0;
  }
}
