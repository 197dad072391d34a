/** Objects in this process's memory: for tests, trials and the simulator. Nothing survives it. */
import { checkKey, segmentKey } from "./object-keys.ts";
import type { ObjectLocation, ObjectStore, SegmentBytes } from "./object-store.ts";
import { scatter } from "./scatter.ts";
import { missingObject, otherBytes, sameBytes, shortObject, storeClosed } from "./store-errors.ts";

export class MemoryStore implements ObjectStore {
  readonly description = "memory (nothing survives this process)";
  readonly #objects = new Map<string, Uint8Array>();
  #closed = false;

  async writeSegment(segment: SegmentBytes): Promise<ObjectLocation> {
    const key = segmentKey(segment);
    await this.create(key, segment.bytes);
    return { key, position: 0, length: segment.bytes.length };
  }

  async create(key: string, bytes: Uint8Array): Promise<void> {
    checkKey(key);
    if (this.#closed) throw storeClosed(`create ${key}`);
    const present = this.#objects.get(key);
    if (present === undefined) this.#objects.set(key, bytes.slice());
    else if (!sameBytes(present, bytes)) throw otherBytes(key, this.description);
  }

  async readInto(location: ObjectLocation, targets: readonly Uint8Array[]): Promise<void> {
    scatter(await this.read(location), targets);
  }

  async read(location: ObjectLocation, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    checkKey(location.key);
    const bytes = this.#objects.get(location.key);
    if (bytes === undefined) throw missingObject(location.key, this.description);
    const end = location.position + location.length;
    if (end > bytes.length) throw shortObject(location, bytes.length);
    return bytes.slice(location.position, end);
  }

  async sizeOf(key: string): Promise<number | undefined> {
    checkKey(key);
    return this.#objects.get(key)?.length;
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    for (const key of keys) this.#objects.delete(key);
  }

  async *list(prefix: string, afterKey = ""): AsyncIterable<{ key: string; sizeBytes: number }> {
    for (const key of [...this.#objects.keys()].sort()) {
      const bytes = this.#objects.get(key);
      if (!key.startsWith(prefix) || key <= afterKey || bytes === undefined) continue;
      yield { key, sizeBytes: bytes.length };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
