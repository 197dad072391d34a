/** `streamctl segment verify`. */
import { oneOf } from "../../runtime/node/option-kinds.ts";
import { scanSegments } from "../../segment/scan.ts";
import { segmentPrefix } from "../../store/object-keys.ts";
import { writeJson } from "../api-client.ts";
import { type CommandCall, defineCommand, exitFailure, exitOk } from "../command.ts";
import { styled } from "../io.ts";
import { counted, humanBytes } from "../numbers.ts";
import { Progress } from "../progress.ts";
import { auditIndex } from "../segment-audit.ts";
import {
  type Inspection,
  objectSource,
  openInspection,
  openSource,
  type SegmentSource,
  tryDatabase,
} from "../segment-source.ts";
import { storeOptions } from "../store-options.ts";

const options = {
  ...storeOptions,
  output: oneOf(["text", "json"], {
    short: "o",
    fallback: "text",
    doc: "text for people, json for programs",
  }),
} as const;

type VerifyCall = CommandCall<typeof options>;

export const segmentVerifyCommand = defineCommand({
  name: "segment verify",
  summary: "Check every batch of a segment, or of all, and the metadata against them",
  positionals: [
    {
      name: "KEY|FILE",
      doc: "an object of the store or a file; absent: all objects",
      optional: true,
    },
  ],
  options,
  examples: [
    "streamctl segment verify",
    "streamctl segment verify segments/0000000001/00000001.log",
    "streamctl segment verify --store s3://bucket/prefix --metadata libsql://db.example",
  ],
  async run(call) {
    const inspection = await openInspection(call);
    try {
      return await new Verification(call, inspection).run(call.positionals[0] ?? "");
    } finally {
      await inspection.store.close();
    }
  },
});

class Verification {
  readonly #call: VerifyCall;
  readonly #inspection: Inspection;
  readonly #progress: Progress;
  readonly #problems: string[] = [];
  readonly #notes: string[] = [];
  /** Left by failed writes and crashes: harmless where no index row names them. */
  readonly #gaps: string[] = [];
  readonly #seen = { segments: 0, batches: 0, records: 0, bytes: 0, rows: 0 };

  constructor(call: VerifyCall, inspection: Inspection) {
    this.#call = call;
    this.#inspection = inspection;
    this.#progress = new Progress(call.io.stderr);
  }

  async run(name: string): Promise<number> {
    try {
      if (name === "") await this.#all();
      else await this.#one(name);
    } finally {
      await this.#progress.clear();
    }
    await this.#conclude();
    return this.#problems.length === 0 ? exitOk : exitFailure;
  }

  async #all(): Promise<void> {
    const { store } = this.#inspection;
    for await (const object of store.list(segmentPrefix)) {
      await this.#scan(objectSource(store, object));
    }
    await this.#audit();
  }

  async #one(name: string): Promise<void> {
    const source = await openSource(this.#inspection, name);
    try {
      await this.#scan(source);
      if (this.#seen.segments === 0) await this.#problem(`${name}: no segment is in it`);
    } finally {
      await source.close();
    }
    if (source.isObject) await this.#audit(name);
    else for (const gap of this.#gaps) await this.#problem(gap);
  }

  async #scan(source: SegmentSource): Promise<void> {
    const { crc32c } = this.#inspection.platform;
    const { sizeBytes } = source;
    const read = (range: { position: number; length: number }) => source.read(range);
    for await (const found of scanSegments({ read, sizeBytes, crc32c, checkBodies: true })) {
      this.#call.io.signal.throwIfAborted();
      if (found.kind === "segment") {
        this.#seen.segments += 1;
        this.#seen.bytes += found.footer.length;
        for (const entry of found.footer.entries) {
          this.#seen.batches += entry.batchCount;
          this.#seen.records += entry.recordCount;
        }
      } else {
        const what = `${source.name}: ${found.length} bytes at ${found.position} are no segment`;
        this.#gaps.push(`${what} (${found.atEnd ? "a torn tail" : found.reason})`);
      }
      await this.#progress.show(this.#seen);
    }
  }

  async #audit(key?: string): Promise<void> {
    const { settings, store, platform } = this.#inspection;
    const database = await tryDatabase(settings);
    if (typeof database === "string") {
      this.#notes.push(`The metadata was not compared: ${database}`);
      for (const gap of this.#gaps) await this.#problem(gap);
      return;
    }
    try {
      const counts = await auditIndex({
        database,
        store,
        crc32c: platform.crc32c,
        ...(key !== undefined && { key }),
        signal: this.#call.io.signal,
        onProblem: (message) => this.#problem(message),
        onProgress: (seen) => this.#progress.show(seen),
      });
      this.#seen.rows = counts.rows;
      this.#notes.push(...this.#gaps);
    } finally {
      await database.close();
    }
  }

  async #problem(message: string): Promise<void> {
    this.#problems.push(message);
    const { io, options: given } = this.#call;
    if (given.output === "json") return;
    await this.#progress.clear();
    await io.stdout.write(`${styled(io.stdout, "red", message)}\n`);
  }

  async #conclude(): Promise<void> {
    const { io, options: given } = this.#call;
    const { segments, batches, records, bytes, rows } = this.#seen;
    const isWhole = this.#problems.length === 0;
    if (given.output === "json") {
      const notes = this.#notes;
      await writeJson(io, { isWhole, problems: this.#problems, notes, seen: this.#seen });
      return;
    }
    for (const note of this.#notes) await io.stdout.write(`${styled(io.stdout, "yellow", note)}\n`);
    const checked = [
      counted(segments, "segment"),
      counted(batches, "batch", "batches"),
      counted(records, "record"),
      counted(rows, "index row"),
      humanBytes(bytes),
    ].join(", ");
    const verdict = isWhole
      ? styled(io.stdout, "green", "All is whole")
      : styled(io.stdout, "red", counted(this.#problems.length, "problem"));
    await io.stdout.write(`${verdict}: ${checked}\n`);
  }
}
