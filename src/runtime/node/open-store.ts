/** Opens the object store that the settings name. */
import type { Platform } from "../../base/platform.ts";
import { FolderStore } from "../../store/folder-store.ts";
import { MemoryStore } from "../../store/memory-store.ts";
import type { ObjectStore } from "../../store/object-store.ts";
import type { Fetch } from "../../store/s3-fetch-handler.ts";
import type { S3Credentials } from "../../store/s3-store.ts";
import type { Settings } from "../settings.ts";
import { nodeFileSystem } from "./file-system.ts";

type StoreSettings = Pick<
  Settings,
  "store" | "fsync" | "awsRegion" | "awsAccessKeyId" | "awsSecretAccessKey" | "awsSessionToken"
>;

/**
 * Opens it; nothing is read or written yet. The S3 client is loaded only where it is used, and
 * sends by `fetch`, if one is given.
 */
export async function openStore(
  settings: StoreSettings,
  platform: Platform,
  fetch?: Fetch,
): Promise<ObjectStore> {
  const { store } = settings;
  switch (store.kind) {
    case "memory":
      return new MemoryStore();
    case "folder": {
      const fileSystem = nodeFileSystem({ writes: settings.fsync ? "durable" : "fast" });
      const fsync = settings.fsync ? "on" : "off";
      return new FolderStore({ fileSystem, directory: store.directory, fsync, log: platform.log });
    }
    case "s3": {
      const { S3Store } = await import("../../store/s3-store.ts");
      const region = store.region ?? settings.awsRegion;
      const credentials = credentialsOf(settings);
      const sends = fetch === undefined ? {} : { fetch };
      return new S3Store({ ...store, ...sends, region, credentials, platform });
    }
  }
}

/** Undefined: the SDK looks by itself (profile, instance role). */
function credentialsOf(settings: StoreSettings): S3Credentials | undefined {
  const { awsAccessKeyId, awsSecretAccessKey, awsSessionToken } = settings;
  if (awsAccessKeyId === undefined || awsSecretAccessKey === undefined) return undefined;
  return {
    accessKeyId: awsAccessKeyId,
    secretAccessKey: awsSecretAccessKey,
    ...(awsSessionToken !== undefined && { sessionToken: awsSessionToken }),
  };
}
