/** The store by itself, through its port: what a worker on it cannot exceed. */

import { bunParts } from "../../src/runtime/bun/main.ts";
import { openStore } from "../../src/runtime/node/open-store.ts";
import type { Settings } from "../../src/runtime/settings.ts";
import type { ObjectLocation, ObjectStore } from "../../src/store/object-store.ts";
import { parseStoreUrl } from "../../src/store/store-url.ts";
import { ownPrefix } from "./millrace.ts";
import { platform } from "./record-batches.ts";

const MiB = 1024 * 1024;
const putBytes = 8 * MiB;
/** As many as a worker has on their way at most. */
const putsAtOnce = 4;
const rangeBytes = MiB;
const rangesAtOnce = 4;

/** Opens a store as a worker's `--store` names it, with credentials from the environment. */
export async function openStoreUrl(url: string): Promise<ObjectStore> {
  const settings: Parameters<typeof openStore>[0] = {
    store: parseStoreUrl(url),
    fsync: false,
    awsRegion: process.env["AWS_REGION"] ?? "us-east-1",
    awsAccessKeyId: process.env["AWS_ACCESS_KEY_ID"],
    awsSecretAccessKey: process.env["AWS_SECRET_ACCESS_KEY"],
    awsSessionToken: process.env["AWS_SESSION_TOKEN"],
  } satisfies Partial<Settings>;
  // As the worker does it.
  return await openStore(settings, platform, bunParts.storeFetch);
}

/** Bytes per second of plain 8 MiB PUTs; they are deleted afterwards. */
export async function runBarePuts(url: string, seconds: number): Promise<number> {
  const store = await openStoreUrl(ownPrefix(url));
  const bytes = platform.random.bytes(putBytes);
  const since = performance.now();
  const keys: string[] = [];
  const lane = async () => {
    while (performance.now() - since < seconds * 1000) {
      const key = `segments/bare-${keys.length}`;
      keys.push(key);
      await store.create(key, bytes);
    }
  };
  await Promise.all(Array.from({ length: putsAtOnce }, lane));
  const elapsed = (performance.now() - since) / 1000;
  await store.delete(keys);
  await store.close();
  return (keys.length * putBytes) / elapsed;
}

/** Bytes per second of 1 MiB ranges over all objects that `store` holds. */
export async function runRangeReads(store: ObjectStore): Promise<number> {
  const ranges: ObjectLocation[] = [];
  for await (const { key, sizeBytes } of store.list("segments/")) {
    for (let position = 0; position < sizeBytes; position += rangeBytes) {
      ranges.push({ key, position, length: Math.min(rangeBytes, sizeBytes - position) });
    }
  }
  const since = performance.now();
  let bytes = 0;
  let next = 0;
  const lane = async () => {
    for (let range = ranges[next++]; range !== undefined; range = ranges[next++]) {
      bytes += (await store.read(range)).length;
    }
  };
  await Promise.all(Array.from({ length: rangesAtOnce }, lane));
  return bytes / ((performance.now() - since) / 1000);
}
