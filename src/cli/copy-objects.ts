/** Copies a log's objects from one store into another, where what is there already stays. */
import { StreamError } from "../base/stream-error.ts";
import { storeIdKey } from "../log/store-identity.ts";
import { receiptPrefix, segmentPrefix } from "../store/object-keys.ts";
import type { ObjectStore } from "../store/object-store.ts";

export interface ObjectCopy {
  readonly from: ObjectStore;
  readonly to: ObjectStore;
  readonly signal: AbortSignal;
  /** Called with each object. */
  readonly onProgress: (copied: CopiedObjects) => Promise<void>;
}

export interface CopiedObjects {
  objects: number;
  bytes: number;
  /** Of an earlier attempt: objects are there whole or not at all. */
  kept: number;
}

/**
 * Copies all of them, one at a time, in pieces and with its checksum; safe to call again.
 * The store's name goes first: by it a later attempt knows whose objects it finds.
 * Errors: `invalid_request` when objects of another log are there, and as `ObjectStore`.
 */
export async function copyObjects(copy: ObjectCopy): Promise<CopiedObjects> {
  const { from, to } = copy;
  const copied = { objects: 0, bytes: 0, kept: 0 };
  await claim(from, to);
  for (const prefix of [segmentPrefix, receiptPrefix]) {
    for await (const { key, sizeBytes } of from.list(prefix)) {
      copy.signal.throwIfAborted();
      // Made ahead for segments that never came.
      if (sizeBytes === 0) continue;
      const there = await to.sizeOf(key);
      if (there === sizeBytes) copied.kept += 1;
      else if (there !== undefined) throw foreign(to);
      else {
        await copyObject({ key, sizeBytes }, copy);
        copied.objects += 1;
        copied.bytes += sizeBytes;
      }
      await copy.onProgress(copied);
    }
  }
  return copied;
}

async function copyObject(
  { key, sizeBytes }: { readonly key: string; readonly sizeBytes: number },
  { from, to, signal }: ObjectCopy,
): Promise<void> {
  const read = (position: number, length: number) => from.read({ key, position, length }, signal);
  if (to.createFrom === undefined) await to.create(key, await read(0, sizeBytes));
  else await to.createFrom(key, { sizeBytes, read });
}

/** Buckets that never were a folder have no name: then sizes alone tell whose objects they are. */
async function claim(from: ObjectStore, to: ObjectStore): Promise<void> {
  const [name, there] = await Promise.all([nameOf(from), nameOf(to)]);
  if (there !== undefined && there !== name) throw foreign(to);
  if (name === undefined || there !== undefined) return;
  for await (const _ of to.list(segmentPrefix)) throw foreign(to);
  await to.create(storeIdKey, new TextEncoder().encode(name));
}

async function nameOf(store: ObjectStore): Promise<string | undefined> {
  const length = await store.sizeOf(storeIdKey);
  if (length === undefined) return undefined;
  return new TextDecoder().decode(await store.read({ key: storeIdKey, position: 0, length }));
}

function foreign(to: ObjectStore): StreamError {
  const message = `Cannot copy into ${to.description}: objects of another log are in it`;
  return new StreamError("invalid_request", `${message}. Give a bucket or a prefix that is empty`);
}
