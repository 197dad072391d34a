/** `streamctl segment inspect`. */

import { oneOf, toggle } from "../../runtime/node/option-kinds.ts";
import { describeSegment, type SegmentDescription } from "../../segment/inspect.ts";
import { scanSegments } from "../../segment/scan.ts";
import { writeJson } from "../api-client.ts";
import { type CommandCall, defineCommand, exitFailure, exitOk } from "../command.ts";
import { type Output, styled } from "../io.ts";
import { counted, humanBytes, humanTime } from "../numbers.ts";
import { type Inspection, openInspection, openSource } from "../segment-source.ts";
import { storeOptions } from "../store-options.ts";
import { renderFacts, renderTable } from "../table.ts";

const options = {
  batches: toggle({ doc: "list the record batches of each entry too" }),
  ...storeOptions,
  output: oneOf(["text", "json"], {
    short: "o",
    fallback: "text",
    doc: "text for people, json for programs",
  }),
} as const;

type InspectCall = CommandCall<typeof options>;

/** What was found in a file or an object, in order of position. */
type Found =
  | ({ readonly kind: "segment"; readonly position: number } & SegmentDescription)
  | { readonly kind: "gap"; readonly position: number; readonly length: number; reason: string };

export const segmentInspectCommand = defineCommand({
  name: "segment inspect",
  summary: "Print what a segment, or a file of segments, holds",
  positionals: [
    {
      name: "KEY|FILE",
      doc: "an object of the store or a file; absent: list them",
      optional: true,
    },
  ],
  options,
  examples: [
    "streamctl segment inspect",
    "streamctl segment inspect segments/0000000001/00000001.log --batches",
    "streamctl segment inspect copy.segment -o json",
  ],
  async run(call) {
    const inspection = await openInspection(call);
    try {
      const name = call.positionals[0] ?? "";
      return name === "" ? await listObjects(call, inspection) : await inspect(call, inspection);
    } finally {
      await inspection.store.close();
    }
  },
});

async function listObjects({ io, options: given }: InspectCall, { store }: Inspection) {
  const objects = [];
  for await (const object of store.list("")) objects.push(object);
  objects.sort((first, second) => (first.key < second.key ? -1 : 1));
  if (given.output === "json") await writeJson(io, { store: store.description, objects });
  else if (objects.length === 0) await io.stdout.write(`Nothing is in ${store.description}\n`);
  else {
    const columns = [{ title: "KEY" }, { title: "SIZE", align: "right" }] as const;
    const rows = objects.map((object) => [object.key, humanBytes(object.sizeBytes)]);
    await io.stdout.write(renderTable(io.stdout, columns, rows));
  }
  return exitOk;
}

async function inspect(call: InspectCall, inspection: Inspection): Promise<number> {
  const { io, options: given, positionals } = call;
  const source = await openSource(inspection, positionals[0] ?? "");
  const { crc32c } = inspection.platform;
  const all: Found[] = [];
  let segmentCount = 0;
  try {
    const { sizeBytes } = source;
    const read = (range: { position: number; length: number }) => source.read(range);
    for await (const each of scanSegments({ read, sizeBytes, crc32c, checkBodies: false })) {
      const found: Found =
        each.kind === "gap"
          ? { kind: "gap", position: each.position, length: each.length, reason: each.reason }
          : {
              kind: "segment",
              position: each.position,
              ...(given.batches
                ? describeSegment(
                    each.footer,
                    await read({ position: each.position, length: each.footer.length }),
                  )
                : describeSegment(each.footer)),
            };
      if (found.kind === "segment") segmentCount += 1;
      if (given.output === "json") all.push(found);
      else await io.stdout.write(foundText(io.stdout, found, source.name));
    }
  } finally {
    await source.close();
  }
  if (given.output === "json") await writeJson(io, { name: source.name, found: all });
  return segmentCount > 0 ? exitOk : exitFailure;
}

function foundText(output: Output, found: Found, name: string): string {
  if (found.kind === "gap") {
    const text = `${name} at ${found.position}: ${found.length} bytes that are no segment`;
    return `${styled(output, "yellow", text)} (${found.reason})\n\n`;
  }
  const title = `${name} at ${found.position}\n`;
  const facts = renderFacts(output, [
    ["version", found.version],
    ["worker epoch", found.workerEpoch],
    ["sequence", found.sequence],
    ["created", humanTime(found.createdAt)],
    ["length", `${found.length} (${humanBytes(found.length)})`],
    [
      "records",
      `${counted(found.recordCount, "record")} in ${counted(found.batchCount, "batch", "batches")}`,
    ],
    ["groups", found.groups.length],
    ["receipts", receiptsText(found)],
  ]);
  const head = `${styled(output, "bold", title)}${facts}`;
  return [head, entriesText(output, found), batchesText(output, found)].join("\n");
}

/** `3 (sequences 4 to 6)`. */
function receiptsText({ receipts }: SegmentDescription): string {
  const first = receipts[0];
  const last = receipts.at(-1);
  if (first === undefined || last === undefined) return "0";
  return `${receipts.length} (sequences ${first.sequence} to ${last.sequence})`;
}

function entriesText(output: Output, { entries }: SegmentDescription): string {
  const columns = [
    { title: "TOPIC" },
    { title: "PARTITION", align: "right" },
    { title: "POSITION", align: "right" },
    { title: "LENGTH", align: "right" },
    { title: "BATCHES", align: "right" },
    { title: "RECORDS", align: "right" },
    { title: "PRODUCER", align: "right" },
    { title: "SEQUENCES", align: "right" },
  ] as const;
  const rows = entries.map((entry) => [
    entry.topic,
    entry.partition,
    entry.position,
    entry.length,
    entry.batchCount,
    entry.recordCount,
    entry.producerId < 0 ? null : `${entry.producerId}/${entry.producerEpoch}`,
    entry.producerId < 0 ? null : `${entry.firstSequence}-${entry.lastSequence}`,
  ]);
  return renderTable(output, columns, rows);
}

function batchesText(output: Output, { entries }: SegmentDescription): string {
  const columns = [
    { title: "TOPIC" },
    { title: "PARTITION", align: "right" },
    { title: "BATCH AT", align: "right" },
    { title: "LENGTH", align: "right" },
    { title: "RECORDS", align: "right" },
    { title: "CODEC" },
    { title: "TIME TYPE" },
    { title: "LAST TIME" },
  ] as const;
  const rows = entries.flatMap((entry) =>
    (entry.batches ?? []).map((batch) => [
      entry.topic,
      entry.partition,
      batch.position,
      batch.length,
      batch.recordCount,
      batch.codec,
      batch.timestampType,
      humanTime(batch.maxTimestamp),
    ]),
  );
  return rows.length === 0 ? "" : `${renderTable(output, columns, rows)}\n`;
}
