/**
 * Objects in S3, R2, MinIO and what else speaks that protocol. A segment is an object of its own,
 * created with If-None-Match, so that no key is ever written twice.
 *
 * Each object carries its length and CRC-32C as metadata. When the answer to a PUT is lost, or a
 * PUT meets an object that is there already, a HEAD tells whether it is ours: bytes are not sent
 * again on suspicion, and a retry that its own first attempt overtook is a success.
 *
 * The same CRC goes along as `x-amz-checksum-crc32c`, which the server checks against what arrived;
 * the body is therefore left out of the signature, whose SHA-256 would cost more than all the rest.
 */
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import type { Platform } from "../base/platform.ts";
import { isStreamError, StreamError } from "../base/stream-error.ts";
import { hedged } from "./hedge.ts";
import { checkKey, segmentKey } from "./object-keys.ts";
import type { ObjectLocation, ObjectSource, ObjectStore, SegmentBytes } from "./object-store.ts";
import { type RetryPolicy, withRetries } from "./retry.ts";
import { crcBase64, crcHex } from "./s3-checksums.ts";
import { mayPass, s3Failure, s3Reason } from "./s3-failures.ts";
import { type Fetch, S3FetchHandler } from "./s3-fetch-handler.ts";
import { partBytesDefault, putInParts } from "./s3-parts.ts";
import { scatter } from "./scatter.ts";
import { missingObject, otherBytes, shortObject, storeClosed } from "./store-errors.ts";

export interface S3StoreOptions {
  readonly bucket: string;
  /** Put before every key with a slash; empty for none. */
  readonly prefix: string;
  /** Absent: Amazon's own for the region. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. */
  readonly pathStyle: boolean;
  /** Whether PUTs carry `x-amz-checksum-crc32c`; some stores refuse it. Default true. */
  readonly checksums?: boolean;
  /** Absent: what the SDK finds by itself (environment, profile, instance role). */
  readonly credentials?: S3Credentials | undefined;
  readonly platform: Pick<Platform, "timers" | "random" | "crc32c" | "log">;
  /** Objects above this are sent in parts of this length; default `partBytesDefault`. */
  readonly partBytes?: number;
  /** Default: the runtime's own. */
  readonly fetch?: Fetch;
  readonly retry?: Partial<RetryPolicy>;
  /** A read unanswered for this long is asked for a second time; 0: never. Default 1 000. */
  readonly hedgeAfterMs?: number;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const defaultRetry: RetryPolicy = {
  attemptsMax: 6,
  delayBaseMs: 50,
  delayMaxMs: 5_000,
  attemptTimeoutMs: 15_000,
};

/** A line slower than this (2 Mbit/s) is not waited for. */
const bytesPerMsMin = 256;

const deleteKeysMax = 1000;

export class S3Store implements ObjectStore {
  readonly description: string;
  readonly #options: S3StoreOptions;
  readonly #client: S3Client;
  readonly #handler: S3FetchHandler;
  readonly #policy: RetryPolicy;
  readonly #writes = new Set<Promise<void>>();
  /** Whether the store takes DeleteObjects; some know only the single kind. */
  #deletesMany = true;
  #closed = false;

  constructor(options: S3StoreOptions) {
    this.#options = options;
    this.#policy = { ...defaultRetry, ...options.retry };
    const place = [options.bucket, options.prefix].filter((part) => part !== "").join("/");
    const at = options.endpoint === undefined ? options.region : options.endpoint;
    this.description = `s3://${place} at ${at}`;
    this.#handler = new S3FetchHandler(options.fetch ?? ((url, init) => fetch(url, init)));
    this.#client = newClient(options, this.#handler);
  }

  async writeSegment(segment: SegmentBytes): Promise<ObjectLocation> {
    const key = segmentKey(segment);
    await this.create(key, segment.bytes);
    return { key, position: 0, length: segment.bytes.length };
  }

  async create(key: string, bytes: Uint8Array): Promise<void> {
    checkKey(key);
    if (this.#closed) throw storeClosed(`create ${key}`);
    await this.#written(this.#put(key, bytes));
  }

  async createFrom(key: string, source: ObjectSource): Promise<void> {
    const { bucket, checksums: hasChecksums = true, partBytes = partBytesDefault } = this.#options;
    if (source.sizeBytes <= partBytes) {
      await this.create(key, await source.read(0, source.sizeBytes));
      return;
    }
    checkKey(key);
    if (this.#closed) throw storeClosed(`create ${key}`);
    const upload = putInParts({
      ...{ client: this.#client, source, partBytes, hasChecksums },
      crc32c: this.#options.platform.crc32c,
      place: { Bucket: bucket, Key: this.#name(key) },
      retried: (bytes, attempt) => this.#retried({ act: `create ${key}`, bytes }, attempt),
      isOurs: (crc, signal) => this.#isOurs(key, source.sizeBytes, crc, signal),
    });
    await this.#written(upload);
  }

  /** One request; what was read is copied only once an attempt has won. */
  async readInto(location: ObjectLocation, targets: readonly Uint8Array[]): Promise<void> {
    scatter(await this.read(location), targets);
  }

  async read(location: ObjectLocation, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    checkKey(location.key);
    if (location.length === 0) return new Uint8Array(0);
    const { platform, hedgeAfterMs = 1000 } = this.#options;
    const act = `read ${location.length} bytes of ${location.key} from byte ${location.position}`;
    const options = { act, signal, bytes: location.length };
    return await this.#retried(options, (attemptSignal) =>
      hedged(
        { timers: platform.timers, afterMs: hedgeAfterMs, signal: attemptSignal },
        (raceSignal) => this.#get(location, raceSignal),
      ),
    );
  }

  async sizeOf(key: string): Promise<number | undefined> {
    checkKey(key);
    const act = `look at ${key}`;
    return (await this.#retried({ act }, (signal) => this.#head(key, signal)))?.sizeBytes;
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    for (let start = 0; start < keys.length; start += deleteKeysMax) {
      await this.#deleteSome(keys.slice(start, start + deleteKeysMax));
    }
  }

  async *list(
    prefix: string,
    afterKey?: string,
  ): AsyncIterable<{ key: string; sizeBytes: number }> {
    const root = this.#name("");
    let token: string | undefined;
    do {
      const page = await this.#retried({ act: `list ${prefix}` }, (abortSignal) =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#options.bucket,
            Prefix: root + prefix,
            StartAfter: afterKey === undefined ? undefined : root + afterKey,
            ContinuationToken: token,
          }),
          { abortSignal },
        ),
      );
      for (const { Key, Size } of page.Contents ?? []) {
        if (Key !== undefined) yield { key: Key.slice(root.length), sizeBytes: Size ?? 0 };
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    while (this.#writes.size > 0) await Promise.allSettled(this.#writes);
    this.#client.destroy();
  }

  /** Waits for a write, as `close` does too. */
  async #written(act: Promise<void>): Promise<void> {
    const write = act.finally(() => this.#writes.delete(write));
    this.#writes.add(write);
    await write;
  }

  /** The object's name in the bucket. */
  #name(key: string): string {
    return this.#options.prefix === "" ? key : `${this.#options.prefix}/${key}`;
  }

  async #put(key: string, bytes: Uint8Array): Promise<void> {
    const crc = this.#options.platform.crc32c.of(bytes);
    let maybeThere = false;
    const options = { act: `create ${key}`, bytes: bytes.length };
    await this.#retried(options, async (abortSignal) => {
      // The last attempt may have got through with its answer lost.
      if (maybeThere && (await this.#isOurs(key, bytes.length, crc, abortSignal))) return;
      // Noted before it is sent: the time limit may end this attempt before its error is read.
      maybeThere = true;
      try {
        await this.#client.send(this.#putCommand(key, bytes, crc), { abortSignal });
      } catch (error) {
        const failure = s3Failure(error);
        if (failure !== "unknown") maybeThere = false;
        if (failure !== "exists") throw error;
        if (await this.#isOurs(key, bytes.length, crc, abortSignal)) return;
        throw new Error(`${key} was there and is gone`, { cause: error });
      }
    });
  }

  #putCommand(key: string, bytes: Uint8Array, crc: number): PutObjectCommand {
    const checksum = this.#options.checksums ?? true;
    return new PutObjectCommand({
      Bucket: this.#options.bucket,
      Key: this.#name(key),
      Body: bytes,
      ContentLength: bytes.length,
      ContentType: "application/octet-stream",
      IfNoneMatch: "*",
      Metadata: { crc32c: crcHex(crc) },
      ...(checksum ? { ChecksumCRC32C: crcBase64(crc) } : {}),
    });
  }

  /** Whether the object is there with these bytes. Throws `object_exists` when it has others. */
  async #isOurs(key: string, length: number, crc: number, signal: AbortSignal): Promise<boolean> {
    const found = await this.#head(key, signal);
    if (found === undefined) return false;
    if (found.sizeBytes === length && found.crc32c === crcHex(crc)) return true;
    throw otherBytes(key, this.description);
  }

  /** One HEAD, without retries; undefined when there is no object. */
  async #head(
    key: string,
    abortSignal: AbortSignal,
  ): Promise<{ sizeBytes: number; crc32c: string | undefined } | undefined> {
    const command = { Bucket: this.#options.bucket, Key: this.#name(key) };
    try {
      const found = await this.#client.send(new HeadObjectCommand(command), { abortSignal });
      const { crc32c } = found.Metadata ?? {};
      return { sizeBytes: found.ContentLength ?? 0, crc32c };
    } catch (error) {
      if (s3Failure(error) === "missing") return undefined;
      throw error;
    }
  }

  async #get(location: ObjectLocation, abortSignal: AbortSignal): Promise<Uint8Array> {
    const { key, position, length } = location;
    const command = new GetObjectCommand({
      Bucket: this.#options.bucket,
      Key: this.#name(key),
      Range: `bytes=${position}-${position + length - 1}`,
    });
    let output: GetObjectCommandOutput;
    try {
      output = await this.#client.send(command, { abortSignal });
    } catch (error) {
      const failure = s3Failure(error);
      if (failure === "missing") throw missingObject(key, this.description, error);
      if (failure === "range") throw shortObject(location, undefined);
      throw error;
    }
    const bytes = this.#handler.bodyOf(output.Body);
    if (bytes?.length === length && startsAt(output.ContentRange, position)) return bytes;
    const total = totalOf(output.ContentRange);
    if (total !== undefined && position + length > total) throw shortObject(location, total);
    throw new Error(`${bytes?.length} bytes came with ${output.ContentRange ?? "no range"}`);
  }

  async #deleteSome(keys: readonly string[]): Promise<void> {
    if (keys.length === 1 || !this.#deletesMany) return await this.#deleteEach(keys);
    let left = keys;
    const act = `delete ${keys.length} objects`;
    try {
      await this.#retried({ act }, async (abortSignal) => {
        const Objects = left.map((key) => ({ Key: this.#name(key) }));
        const command = { Bucket: this.#options.bucket, Delete: { Objects, Quiet: true } };
        const answer = await this.#client.send(new DeleteObjectsCommand(command), { abortSignal });
        const errors = answer.Errors ?? [];
        const failed = new Set(errors.map((error) => error.Key));
        left = left.filter((key) => failed.has(this.#name(key)));
        if (left.length > 0) throw new Error(`${left.length} remain: ${errors[0]?.Code}`);
      });
    } catch (error) {
      const cause = isStreamError(error) ? error.cause : error;
      if (s3Failure(cause) !== "refused") throw error;
      // Some stores refuse the request for many, or its checksum; if rights are what is missing,
      // the single requests say so.
      this.#deletesMany = false;
      await this.#deleteEach(left);
    }
  }

  async #deleteEach(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const command = { Bucket: this.#options.bucket, Key: this.#name(key) };
      try {
        await this.#retried({ act: `delete ${key}` }, (abortSignal) =>
          this.#client.send(new DeleteObjectCommand(command), { abortSignal }),
        );
      } catch (error) {
        if (!isStreamError(error) || s3Failure(error.cause) !== "missing") throw error;
      }
    }
  }

  /** Retries what may pass; what remains becomes `store_unavailable`, its cause the S3 error. */
  async #retried<T>(
    options: {
      readonly act: string;
      /** What goes over the line, and lengthens the time limit. */
      readonly bytes?: number;
      readonly signal?: AbortSignal | undefined;
    },
    attempt: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { platform } = this.#options;
    const { act, signal, bytes = 0 } = options;
    const attemptTimeoutMs = this.#policy.attemptTimeoutMs + Math.ceil(bytes / bytesPerMsMin);
    try {
      return await withRetries(
        {
          platform,
          policy: { ...this.#policy, attemptTimeoutMs },
          signal,
          mayPass: (error) => {
            const retriable = !(error instanceof StreamError) && mayPass(error);
            if (retriable) platform.log.debug(`Trying again to ${act}`, { why: s3Reason(error) });
            return retriable;
          },
        },
        attempt,
      );
    } catch (error) {
      if (error instanceof StreamError || signal?.aborted === true) throw error;
      throw new StreamError(
        "store_unavailable",
        `Cannot ${act} in ${this.description}: ${s3Reason(error)}`,
        { cause: error },
      );
    }
  }
}

function newClient(options: S3StoreOptions, handler: S3FetchHandler): S3Client {
  const config: S3ClientConfig = {
    region: options.region,
    forcePathStyle: options.pathStyle,
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: handler as NonNullable<S3ClientConfig["requestHandler"]>,
  };
  if (options.endpoint !== undefined) config.endpoint = options.endpoint;
  if (options.credentials !== undefined) config.credentials = options.credentials;
  const client = new S3Client(config);
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const request = args.request as { readonly headers: Record<string, string> };
        if (commandName === "PutObjectCommand" || commandName === "UploadPartCommand") {
          request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD";
        }
        return next(args);
      },
    { step: "build", name: "unsignedPayload" },
  );
  return client;
}

/** Whether a Content-Range (`bytes 0-99/1000`) begins at `position`. */
function startsAt(contentRange: string | undefined, position: number): boolean {
  return contentRange?.startsWith(`bytes ${position}-`) ?? false;
}

/** The object's size as a Content-Range states it. */
function totalOf(contentRange: string | undefined): number | undefined {
  const total = /\/(\d+)$/.exec(contentRange ?? "")?.[1];
  return total === undefined ? undefined : Number(total);
}
