/**
 * Objects in R2 through a Worker's binding: no keys, no signatures, no S3 client in the bundle. A
 * segment is an object of its own, created with `If-None-Match: *`: no key is written twice.
 *
 * As in s3-store.ts each object carries its CRC-32C as metadata: when the answer to a put is lost,
 * or a put meets an object that is there already, a look tells whether it is ours. Workers outside
 * reach the same bucket through S3, and the objects in it are the same.
 */
import { freeBytes } from "../base/free-bytes.ts";
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import { hedged } from "./hedge.ts";
import { checkKey, segmentKey } from "./object-keys.ts";
import type { ObjectLocation, ObjectStore, SegmentBytes } from "./object-store.ts";
import { mayPassInR2 } from "./r2-failures.ts";
import { type RetryPolicy, withRetries } from "./retry.ts";
import { scatter } from "./scatter.ts";
import { missingObject, otherBytes, shortObject, storeClosed } from "./store-errors.ts";

/** What the store uses of the binding (developers.cloudflare.com/r2/api/workers). */
export interface R2Bucket {
  head(key: string): Promise<R2Object | null>;
  get(
    key: string,
    options: { readonly range: { readonly offset: number; readonly length: number } },
  ): Promise<(R2Object & { arrayBuffer(): Promise<ArrayBuffer> }) | null>;
  /** Null when the condition of `onlyIf` does not hold. */
  put(
    key: string,
    value: Uint8Array,
    options: {
      readonly onlyIf: Headers;
      readonly customMetadata: Readonly<Record<string, string>>;
      readonly httpMetadata: { readonly contentType: string };
    },
  ): Promise<R2Object | null>;
  delete(keys: string[]): Promise<void>;
  list(options: {
    readonly prefix: string;
    readonly startAfter?: string;
    readonly cursor?: string;
  }): Promise<{
    readonly objects: readonly R2Object[];
    readonly truncated: boolean;
    readonly cursor?: string;
  }>;
}

export interface R2Object {
  readonly key: string;
  /** Bytes of the whole object, also when a range of it was asked for. */
  readonly size: number;
  readonly customMetadata?: Readonly<Record<string, string>>;
}

export interface R2StoreOptions {
  readonly bucket: R2Bucket;
  /** Put before every key with a slash; empty for none. */
  readonly prefix: string;
  readonly platform: Pick<Platform, "timers" | "random" | "crc32c" | "log">;
  readonly retry?: Partial<RetryPolicy>;
  /** A read unanswered for this long is asked for a second time; 0: never. Default 1 000. */
  readonly hedgeAfterMs?: number;
}

/** Fewer attempts than over S3: each is one of the subrequests that an invocation may make. */
const defaultRetry: RetryPolicy = {
  attemptsMax: 5,
  delayBaseMs: 50,
  delayMaxMs: 2_000,
  attemptTimeoutMs: 15_000,
};

/** R2's own bound of one delete. */
const deleteKeysMax = 1000;

export class R2Store implements ObjectStore {
  readonly description: string;
  readonly #options: R2StoreOptions;
  readonly #policy: RetryPolicy;
  readonly #writes = new Set<Promise<void>>();
  #closed = false;

  constructor(options: R2StoreOptions) {
    this.#options = options;
    this.#policy = { ...defaultRetry, ...options.retry };
    this.description = `R2 bucket of this Worker${options.prefix && `, under ${options.prefix}/`}`;
  }

  async writeSegment(segment: SegmentBytes): Promise<ObjectLocation> {
    const key = segmentKey(segment);
    await this.create(key, segment.bytes);
    return { key, position: 0, length: segment.bytes.length };
  }

  async create(key: string, bytes: Uint8Array): Promise<void> {
    checkKey(key);
    if (this.#closed) throw storeClosed(`create ${key}`);
    const write = this.#put(key, bytes).finally(() => this.#writes.delete(write));
    this.#writes.add(write);
    await write;
  }

  /** One request; what was read is copied only once an attempt has won. */
  async readInto(location: ObjectLocation, targets: readonly Uint8Array[]): Promise<void> {
    const bytes = await this.read(location);
    scatter(bytes, targets);
    freeBytes(bytes);
  }

  async read(location: ObjectLocation, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    checkKey(location.key);
    if (location.length === 0) return new Uint8Array(0);
    const { platform, hedgeAfterMs = 1000 } = this.#options;
    const act = `read ${location.length} bytes of ${location.key} from byte ${location.position}`;
    return await this.#retried({ act, signal }, (attemptSignal) =>
      hedged({ timers: platform.timers, afterMs: hedgeAfterMs, signal: attemptSignal }, () =>
        this.#get(location),
      ),
    );
  }

  async sizeOf(key: string): Promise<number | undefined> {
    checkKey(key);
    const name = this.#name(key);
    const found = await this.#retried({ act: `look at ${key}` }, () => this.#bucket.head(name));
    return found?.size;
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    for (let start = 0; start < keys.length; start += deleteKeysMax) {
      const names = keys.slice(start, start + deleteKeysMax).map((key) => this.#name(key));
      await this.#retried({ act: `delete ${names.length} objects` }, () =>
        this.#bucket.delete(names),
      );
    }
  }

  async *list(
    prefix: string,
    afterKey?: string,
  ): AsyncIterable<{ key: string; sizeBytes: number }> {
    const root = this.#name("");
    const first = afterKey === undefined ? {} : { startAfter: root + afterKey };
    let cursor: string | undefined;
    do {
      const asked = { prefix: root + prefix, ...(cursor === undefined ? first : { cursor }) };
      const page = await this.#retried({ act: `list ${prefix}` }, () => this.#bucket.list(asked));
      for (const { key, size } of page.objects) {
        yield { key: key.slice(root.length), sizeBytes: size };
      }
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    while (this.#writes.size > 0) await Promise.allSettled(this.#writes);
  }

  get #bucket(): R2Bucket {
    return this.#options.bucket;
  }

  /** The object's name in the bucket. */
  #name(key: string): string {
    return this.#options.prefix === "" ? key : `${this.#options.prefix}/${key}`;
  }

  async #put(key: string, bytes: Uint8Array): Promise<void> {
    const name = this.#name(key);
    const crc32c = this.#options.platform.crc32c.of(bytes).toString(16).padStart(8, "0");
    const ours = { key, length: bytes.length, crc32c };
    let maybeThere = false;
    await this.#retried({ act: `create ${key}` }, async () => {
      // The last attempt may have got through with its answer lost.
      if (maybeThere && (await this.#isOurs(ours))) return;
      maybeThere = true;
      const made = await this.#bucket.put(name, bytes, {
        onlyIf: new Headers({ "If-None-Match": "*" }),
        customMetadata: { crc32c },
        httpMetadata: { contentType: "application/octet-stream" },
      });
      if (made !== null || (await this.#isOurs(ours))) return;
      throw new Error(`${key} was there and is gone`);
    });
  }

  /** Whether the object is there with these bytes. Throws `object_exists` when it has others. */
  async #isOurs(ours: {
    readonly key: string;
    readonly length: number;
    readonly crc32c: string;
  }): Promise<boolean> {
    const found = await this.#bucket.head(this.#name(ours.key));
    if (found === null) return false;
    if (found.size === ours.length && found.customMetadata?.["crc32c"] === ours.crc32c) return true;
    throw otherBytes(ours.key, this.description);
  }

  async #get(location: ObjectLocation): Promise<Uint8Array> {
    const { key, position, length } = location;
    const name = this.#name(key);
    const range = { offset: position, length };
    const found = await this.#bucket.get(name, { range }).catch(async (error: unknown) => {
      // Past the end: R2 says so, its local simulator fails where the range begins at the end.
      const present = await this.#bucket.head(name);
      if (present !== null && present.size <= position) throw shortObject(location, present.size);
      throw error;
    });
    if (found === null) throw missingObject(key, this.description);
    // Read to its end in any case: a body that is left lying holds one of few connections.
    const bytes = new Uint8Array(await found.arrayBuffer());
    if (found.size < position + length) throw shortObject(location, found.size);
    if (bytes.length === length) return bytes;
    throw new Error(`${bytes.length} bytes came instead of ${length}`);
  }

  /** Retries what may pass; what remains becomes `store_unavailable`, its cause R2's error. */
  async #retried<T>(
    options: { readonly act: string; readonly signal?: AbortSignal | undefined },
    attempt: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { platform } = this.#options;
    const { act, signal } = options;
    const mayPass = (error: unknown) => {
      const retriable = !(error instanceof StreamError) && mayPassInR2(error);
      if (retriable) platform.log.debug(`Trying again to ${act}`, { why: String(error) });
      return retriable;
    };
    try {
      return await withRetries({ platform, policy: this.#policy, signal, mayPass }, attempt);
    } catch (error) {
      if (error instanceof StreamError || signal?.aborted === true) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new StreamError("store_unavailable", `Cannot ${act} in ${this.description}: ${why}`, {
        cause: error,
      });
    }
  }
}
