/**
 * Buffers that are used again. Fresh ones cost more than the copy into them: the kernel hands their
 * pages out one fault at a time, zeroed. Sizes come in four steps per doubling, so that at most a
 * fifth of a buffer lies idle; what is larger than the largest class is not kept. A buffer that
 * nobody gives back is the garbage collector's, no leak.
 */
const classBytesMin = 64 * 1024;
const classBytesMax = 16 * 1024 * 1024;

export class BufferPool {
  readonly #idleBytesMax: number;
  readonly #isShared: boolean;
  /** By class, the one used longest ago first. */
  readonly #idle = new Map<number, ArrayBufferLike[]>();
  /** Shared memory that came from elsewhere must not be taken for ours. */
  readonly #made = new WeakSet<ArrayBufferLike>();
  #idleBytes = 0;

  /** `idleBytesMax` bounds what waits to be used again; `isShared`: other threads may read it. */
  constructor(idleBytesMax: number, isShared = false) {
    this.#idleBytesMax = idleBytesMax;
    this.#isShared = isShared;
  }

  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** A buffer of exactly `length` bytes, its content undefined, the caller's until given back. */
  take(length: number): Uint8Array {
    if (length < classBytesMin / 2 || length > classBytesMax) {
      return new Uint8Array(this.#make(length));
    }
    const classBytes = classOf(length);
    const kept = this.#idle.get(classBytes)?.pop();
    if (kept === undefined) return new Uint8Array(this.#make(classBytes), 0, length);
    this.#idleBytes -= classBytes;
    return new Uint8Array(kept, 0, length);
  }

  /** Gives a buffer back, or any view of it; nothing may read or write it from then on. */
  give(bytes: Uint8Array): void {
    const { buffer } = bytes;
    const classBytes = buffer.byteLength;
    if (classBytes < classBytesMin || classBytes > classBytesMax) return;
    if (classBytes > this.#idleBytesMax) return;
    if (!this.#isOurs(buffer) || classOf(classBytes) !== classBytes) return;
    const kept = this.#idle.get(classBytes) ?? [];
    this.#idle.delete(classBytes);
    this.#idle.set(classBytes, kept);
    kept.push(buffer);
    this.#idleBytes += classBytes;
    this.#trim();
  }

  #make(bytes: number): ArrayBufferLike {
    if (!this.#isShared) return new ArrayBuffer(bytes);
    const buffer = new SharedArrayBuffer(bytes);
    this.#made.add(buffer);
    return buffer;
  }

  #isOurs(buffer: ArrayBufferLike): boolean {
    return this.#isShared ? this.#made.has(buffer) : buffer instanceof ArrayBuffer;
  }

  /** What nobody asked for lately makes room for what comes back now. */
  #trim(): void {
    for (const [classBytes, kept] of this.#idle) {
      while (this.#idleBytes > this.#idleBytesMax && kept.pop() !== undefined) {
        this.#idleBytes -= classBytes;
      }
      if (this.#idleBytes <= this.#idleBytesMax) return;
      this.#idle.delete(classBytes);
    }
  }
}

/** Bytes of the buffer that `take` gives for `length`, at most. */
export function pooledBytes(length: number): number {
  if (length < classBytesMin / 2 || length > classBytesMax) return length;
  return classOf(length);
}

function classOf(length: number): number {
  const stepBytes = Math.max(classBytesMin, 2 ** Math.ceil(Math.log2(length))) / 8;
  return Math.max(classBytesMin, Math.ceil(length / stepBytes) * stepBytes);
}
