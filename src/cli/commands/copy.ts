/** `streamctl copy`: a log from a folder into a bucket, its metadata into a libSQL server. */
import { copyMetadata, copyState, refuseOpenEpochs } from "../../meta/copy-metadata.ts";
import type { SqlDatabase } from "../../meta/sql-database.ts";
import { openDatabase } from "../../runtime/node/open-database.ts";
import { openStore } from "../../runtime/node/open-store.ts";
import { oneOf, text } from "../../runtime/node/option-kinds.ts";
import { settingTable } from "../../runtime/settings.ts";
import type { ObjectStore } from "../../store/object-store.ts";
import { writeJson } from "../api-client.ts";
import { type CommandCall, CommandError, defineCommand, exitFailure, exitOk } from "../command.ts";
import { copyObjects } from "../copy-objects.ts";
import { styled } from "../io.ts";
import { counted, humanBytes } from "../numbers.ts";
import { Progress } from "../progress.ts";
import { auditIndex } from "../segment-audit.ts";
import { type Inspection, openInspection } from "../segment-source.ts";
import { storeOptions } from "../store-options.ts";

const { env: _store, fallbackShown: _objects, ...toStore } = settingTable.store;
const { env: _metadata, fallbackShown: _file, ...toMetadata } = settingTable.metadata;

const options = {
  ...storeOptions,
  toStore: { ...toStore, doc: "where the objects go: s3://bucket/prefix?…, or file:DIR" },
  toMetadata: { ...toMetadata, doc: "where the metadata go: libsql://HOST, or http(s)://…" },
  toMetadataToken: text("TOKEN", {
    env: "MILLRACE_TO_METADATA_TOKEN",
    envOnly: true,
    doc: "token for the libSQL server that is copied into",
  }),
  output: oneOf(["text", "json"], {
    short: "o",
    fallback: "text",
    doc: "text for people, json for programs",
  }),
} as const;

type CopyCall = CommandCall<typeof options>;

/** Both ends of a copy. */
interface Ends extends Inspection {
  readonly from: SqlDatabase;
  readonly to: { readonly database: SqlDatabase; readonly store: ObjectStore };
}

export const copyCommand = defineCommand({
  name: "copy",
  summary: "Copy a whole log, a folder's for instance, into a bucket and a libSQL server",
  positionals: [],
  options,
  examples: [
    "streamctl copy --data ./data --to-metadata libsql://millrace.turso.io \\\n" +
      "    --to-store 's3://millrace?endpoint=https://ACCOUNT.r2.cloudflarestorage.com&region=auto'",
  ],
  async run(call) {
    const { toStore: store, toMetadata: metadata } = call.options;
    if (store === undefined || metadata === undefined) {
      throw new CommandError(
        "target_missing",
        "Cannot copy without both --to-store and --to-metadata",
        "See streamctl copy --help",
      );
    }
    const inspection = await openInspection(call);
    const { settings, platform } = inspection;
    if (settings.metadata.kind === "memory") {
      throw new CommandError("nothing_stored", "Cannot copy metadata that is in a worker's memory");
    }
    const metadataToken = call.options.toMetadataToken;
    const target = { ...settings, store, metadata, metadataToken };
    // An embedded file is this process's from here on: no server starts on it meanwhile.
    const from = await openDatabase(settings);
    try {
      const to = { database: await openDatabase(target), store: await openStore(target, platform) };
      try {
        return await copyLog(call, { ...inspection, from, to });
      } finally {
        await Promise.all([to.database.close(), to.store.close()]);
      }
    } finally {
      await Promise.all([from.close(), inspection.store.close()]);
    }
  },
});

/** Bytes first: until all are there, the metadata names none. */
async function copyLog(call: CopyCall, { from, to, store, platform }: Ends): Promise<number> {
  const { io } = call;
  const { signal } = io;
  const progress = new Progress(io.stderr);
  await refuseOpenEpochs(from);
  const isThere = (await copyState(from, to.database)) === "complete";
  const copied = { objects: 0, bytes: 0, kept: 0, rows: 0 };
  const problems: string[] = [];
  try {
    if (!isThere) {
      const onProgress = ({ bytes }: { bytes: number }) => progress.show({ records: 0, bytes });
      Object.assign(copied, await copyObjects({ from: store, to: to.store, signal, onProgress }));
      const onRows = (rows: number) => progress.show({ records: rows, bytes: copied.bytes });
      const copy = { from, to: to.database, signal, onProgress: onRows };
      copied.rows = await copyMetadata(copy);
    }
    const onProblem = async (message: string) => void problems.push(message);
    const { crc32c } = platform;
    const seen = (counts: { records: number; bytes: number }) => progress.show(counts);
    const audit = { ...to, crc32c, signal, onProblem, onProgress: seen };
    const verified = await auditIndex(audit);
    await progress.clear();
    await conclude(call, { isThere, copied, verified, problems });
  } finally {
    await progress.clear();
  }
  return problems.length === 0 ? exitOk : exitFailure;
}

interface Outcome {
  readonly isThere: boolean;
  readonly copied: {
    readonly objects: number;
    readonly bytes: number;
    readonly kept: number;
    readonly rows: number;
  };
  readonly verified: { readonly rows: number; readonly records: number; readonly bytes: number };
  readonly problems: readonly string[];
}

async function conclude({ io, options: given }: CopyCall, outcome: Outcome): Promise<void> {
  const { isThere, copied, verified, problems } = outcome;
  if (given.output === "json") return await writeJson(io, { ...outcome });
  for (const problem of problems) await io.stdout.write(`${styled(io.stdout, "red", problem)}\n`);
  const kept = copied.kept === 0 ? "" : `, ${copied.kept} were there`;
  const what = isThere
    ? "It is there already: nothing was copied"
    : `Copied ${counted(copied.objects, "object")} (${humanBytes(copied.bytes)}${kept}) and ` +
      counted(copied.rows, "row of metadata", "rows of metadata");
  const verdict =
    problems.length === 0
      ? styled(io.stdout, "green", "All is whole")
      : styled(io.stdout, "red", counted(problems.length, "problem"));
  const read = `${counted(verified.records, "record")} in ${counted(verified.rows, "index row")}`;
  await io.stdout.write(`${what}\n${verdict}: read back ${read}\n`);
}
