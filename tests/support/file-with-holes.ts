/** A folder's store as a power loss leaves it: files with holes. */
import { StreamError } from "../../src/base/stream-error.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { rollingFileKey } from "../../src/store/object-keys.ts";
import type { ObjectLocation, SegmentBytes } from "../../src/store/object-store.ts";

/** One rolling file per epoch in memory; the write of some segments leaves a hole of zeros. */
export class FileWithHoles extends MemoryStore {
  readonly failing = new Set<number>();
  readonly #files = new Map<string, Uint8Array>();

  override async writeSegment(segment: SegmentBytes): Promise<ObjectLocation> {
    const key = rollingFileKey({ workerEpoch: segment.workerEpoch, fileNumber: 0 });
    const old = this.#files.get(key) ?? new Uint8Array(0);
    const { length } = segment.bytes;
    const file = new Uint8Array(old.length + length);
    file.set(old);
    const fails = this.failing.has(segment.sequence);
    if (!fails) file.set(segment.bytes, old.length);
    this.#files.set(key, file);
    if (fails) throw new StreamError("store_unavailable", "EIO");
    return { key, position: old.length, length };
  }

  override async read(location: ObjectLocation): Promise<Uint8Array> {
    const file = this.#files.get(location.key);
    if (file === undefined) return super.read(location);
    return file.slice(location.position, location.position + location.length);
  }

  /** Where each file was cut off. */
  readonly trimmed = new Map<string, number>();

  async trimTornTail(key: string, endPosition: number): Promise<void> {
    this.trimmed.set(key, endPosition);
    this.#files.set(key, this.#files.get(key)?.slice(0, endPosition) ?? new Uint8Array(0));
  }

  readonly settled: string[] = [];

  async settle(key: string): Promise<void> {
    this.settled.push(key);
  }

  override async *list(prefix: string): AsyncIterable<{ key: string; sizeBytes: number }> {
    for (const [key, { length }] of this.#files) {
      if (key.startsWith(prefix)) yield { key, sizeBytes: length };
    }
    yield* super.list(prefix);
  }

  /** What `create` waits for: receipts are objects of their own. */
  creating: Promise<void> = Promise.resolve();

  override async create(key: string, bytes: Uint8Array): Promise<void> {
    await this.creating;
    await super.create(key, bytes);
  }

  isAway = false;

  override async sizeOf(key: string): Promise<number | undefined> {
    if (this.isAway) throw new StreamError("store_unavailable", "away");
    return this.#files.get(key)?.length ?? super.sizeOf(key);
  }

  lose(key: string, position: number, end?: number): void {
    this.#files.get(key)?.fill(0, position, end);
  }
}
