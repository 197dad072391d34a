/** Bytes that may hold segments: a file on this machine, or an object of the store. */

import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { silentLogger } from "../base/log.ts";
import { isStreamError } from "../base/stream-error.ts";
import { schemaVersion } from "../meta/migrate.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { openDatabase } from "../runtime/node/open-database.ts";
import { openStore } from "../runtime/node/open-store.ts";
import { createPlatform, type NodePlatform } from "../runtime/node/platform.ts";
import { readSettings, type Settings } from "../runtime/settings.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { CommandError } from "./command.ts";
import { storeArgv } from "./store-options.ts";

export interface SegmentSource {
  /** Key or path, for messages. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Whether it is an object of the store, which the metadata may name. */
  readonly isObject: boolean;
  read(range: { readonly position: number; readonly length: number }): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** What segment commands look at. */
export interface Inspection {
  readonly platform: NodePlatform;
  readonly settings: Settings;
  readonly store: ObjectStore;
}

export async function openInspection(call: {
  readonly argv: readonly string[];
  readonly io: { readonly env: Readonly<Record<string, string | undefined>> };
}): Promise<Inspection> {
  // What concerns listening and writing has no say here.
  const { MILLRACE_HTTP: _http, MILLRACE_KAFKA: _kafka, ...env } = call.io.env;
  const settings = readSettings(storeArgv(call.argv), env);
  const platform = createPlatform({ log: silentLogger });
  return { platform, settings, store: await openStore(settings, platform) };
}

/** A file of that name if there is one, else the object with that key. */
export async function openSource(inspection: Inspection, name: string): Promise<SegmentSource> {
  if (existsSync(name)) return await openFile(name);
  const { store } = inspection;
  const sizeBytes = await sizeOf(store, name);
  if (sizeBytes === undefined) {
    throw new CommandError(
      "object_missing",
      `There is no file ${name}, and no such object in ${store.description}`,
      "List the objects with `streamctl segment inspect`; --store or --data say where they are",
    );
  }
  return objectSource(store, { key: name, sizeBytes });
}

export function objectSource(
  store: ObjectStore,
  object: { readonly key: string; readonly sizeBytes: number },
): SegmentSource {
  return {
    name: object.key,
    sizeBytes: object.sizeBytes,
    isObject: true,
    read: (range) => store.read({ key: object.key, ...range }),
    close: async () => {},
  };
}

async function sizeOf(store: ObjectStore, key: string): Promise<number | undefined> {
  try {
    return await store.sizeOf(key);
  } catch (error) {
    // A path such as ../x is no key at all.
    if (isStreamError(error) && error.kind === "invalid") return undefined;
    throw error;
  }
}

async function openFile(path: string): Promise<SegmentSource> {
  const handle = await open(path, "r");
  const { size } = await handle.stat();
  return {
    name: path,
    sizeBytes: size,
    isObject: false,
    async read({ position, length }) {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await handle.read(bytes, 0, length, position);
      if (bytesRead === length) return bytes;
      throw new CommandError("file_changed", `${path} became shorter while it was read`);
    },
    close: () => handle.close(),
  };
}

/**
 * The metadata, or why it cannot be looked at: an embedded file belongs to the worker that runs.
 */
export async function tryDatabase(settings: Settings): Promise<SqlDatabase | string> {
  const { metadata } = settings;
  if (metadata.kind === "memory") return "it is in the memory of a worker";
  if (metadata.kind === "file" && !existsSync(metadata.path)) {
    return `there is no file ${metadata.path}`;
  }
  try {
    const database = await openDatabase(settings);
    if ((await schemaVersion(database)) > 0) return database;
    await database.close();
    return "no worker has used it yet";
  } catch (error) {
    if (isStreamError(error, "metadata_unavailable")) return error.message;
    throw error;
  }
}
