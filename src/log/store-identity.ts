/**
 * That a folder is the one which the metadata speaks of. A folder may have lost what is young, and
 * index rows without bytes are cut (lost-bytes.ts); of a wrong folder that would be all of them. So
 * the first worker leaves a random name in the store and in the metadata, and the others compare.
 */
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import { liveObjects } from "../meta/object-index.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { claimStoreId, readStoreId } from "../meta/store-id.ts";
import type { ObjectStore } from "../store/object-store.ts";

/** Names the store; the metadata knows the name too. */
export const storeIdKey = "store-id";

/** One that is there is enough. */
const objectsAsked = 10;

const pattern = /^[0-9a-f]{32}$/;

export interface StoreIdentityParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly store: ObjectStore;
}

/** Errors: `object_missing` when store and metadata do not belong together. */
export async function checkStoreIdentity(parts: StoreIdentityParts): Promise<void> {
  const { database, store, platform } = parts;
  const known = await readStoreId(database);
  const found = await storedId(store);
  const fresh = () => platform.random.bytes(16).toHex();
  const storeId = known ?? (await claimStoreId(database, found ?? fresh()));
  if (found === storeId) return;
  const isOurs = found === undefined && (known === null || (await holdsWhatIsNamed(parts)));
  if (!isOurs) throw foreign(parts, { storeId, found });
  await leaveId(store, storeId);
}

/** For a store whose file was lost, or never left because a worker died before: look at others. */
async function holdsWhatIsNamed({ database, store }: StoreIdentityParts): Promise<boolean> {
  const objects = await liveObjects(database, { afterObjectId: 0, limit: objectsAsked });
  const sizes = await Promise.all(objects.map(({ key }) => store.sizeOf(key)));
  return objects.length === 0 || sizes.some((size) => size !== undefined);
}

/** Undefined when there is none, or what a crash left of it. */
async function storedId(store: ObjectStore): Promise<string | undefined> {
  const length = await store.sizeOf(storeIdKey);
  if (length !== 32) return undefined;
  const bytes = await store.read({ key: storeIdKey, position: 0, length });
  const text = new TextDecoder().decode(bytes);
  return pattern.test(text) ? text : undefined;
}

/** All workers leave the same, so it does not matter whose file it is in the end. */
async function leaveId(store: ObjectStore, storeId: string): Promise<void> {
  if ((await store.sizeOf(storeIdKey)) !== undefined) await store.delete([storeIdKey]);
  await store.create(storeIdKey, new TextEncoder().encode(storeId));
  await store.settle?.(storeIdKey);
}

function foreign(
  { database, store }: StoreIdentityParts,
  ids: { readonly storeId: string; readonly found: string | undefined },
): StreamError {
  return new StreamError(
    "object_missing",
    `Cannot use ${store.description} with metadata ${database.description}: their records lie in ` +
      `another store, whose file "${storeIdKey}" says ${ids.storeId}; here it says ` +
      `${ids.found ?? "nothing"}. Give the worker the store that belongs to its metadata.`,
    { details: { key: storeIdKey } },
  );
}
