/** `streamctl produce`: one value, or a record per line of a file or of standard input. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { content, count, text, toggle } from "../../runtime/node/option-kinds.ts";
import { type OptionValues, UsageError } from "../../runtime/node/options.ts";
import { clock, timers } from "../../runtime/node/platform.ts";
import { apiClient, clientOptions, writeJson } from "../api-client.ts";
import { type CommandCall, defineCommand, exitOk } from "../command.ts";
import { type Line, LineReader } from "../line-reader.ts";
import { counted, humanBytes } from "../numbers.ts";
import { Progress } from "../progress.ts";
import { jsonContent, RecordSender, type SentRange, type SentRecord } from "../record-sender.ts";
import { unreadableFile } from "../unreadable-file.ts";

const options = {
  value: content("TEXT", { doc: "the value of a single record" }),
  key: content("TEXT", { doc: "the key of every record" }),
  keySeparator: text("TEXT", {
    doc: "what parts key and value in a line; a line without it has no key",
  }),
  file: text("PATH", {
    doc: "read records from the lines of this file",
    fallbackShown: "standard input",
  }),
  whole: toggle({ doc: "take the file or standard input as one value, not by lines" }),
  partition: count(
    "N",
    { min: 0, max: 2 ** 31 - 1 },
    { doc: "the partition of every record", fallbackShown: "by key" },
  ),
  rate: count("N", { min: 1, max: 10_000_000 }, { doc: "records per second at most" }),
  ...clientOptions,
} as const;

type ProduceCall = CommandCall<typeof options>;

/** Bounds of one request: large enough to be worth it, far below what a worker takes. */
const batchLimit = { lines: 5_000, bytes: 512 * 1024 } as const;

/** With --rate, how often records are sent. */
const rateStepMs = 100;

export const produceCommand = defineCommand({
  name: "produce",
  summary: "Append records to a topic",
  positionals: [{ name: "TOPIC", doc: "the topic's name" }],
  options,
  examples: [
    "streamctl produce orders --value hello --key customer-7",
    "streamctl produce orders --file orders.ndjson --rate 1000",
    "printf 'a:1\\nb:2\\n' | streamctl produce orders --key-separator :",
  ],
  async run(call) {
    checkCombination(call.options);
    const { io, positionals } = call;
    const topic = positionals[0] ?? "";
    const api = apiClient(call.options);
    const sender = new RecordSender({ api, topic, signal: io.signal });
    const bytes = await sendAll(call, sender);
    await reportSent(call, sender.ranges, bytes);
    return exitOk;
  },
});

function checkCombination(given: OptionValues<typeof options>): void {
  const wrong =
    (given.value !== undefined && given.file !== undefined && ["--value", "--file"]) ||
    (given.value !== undefined && given.whole && ["--value", "--whole"]) ||
    (given.key !== undefined && given.keySeparator !== undefined && ["--key", "--key-separator"]) ||
    (given.whole && given.keySeparator !== undefined && ["--whole", "--key-separator"]);
  if (wrong) throw new UsageError(`${wrong[0]} and ${wrong[1]} exclude each other: give one`);
}

/** Sends what the options name; resolves to the bytes of keys and values. */
async function sendAll(call: ProduceCall, sender: RecordSender): Promise<number> {
  const { value, whole } = call.options;
  if (value !== undefined) {
    const bytes = new TextEncoder().encode(value);
    await sender.send([{ value, ...common(call.options) }]);
    return bytes.length;
  }
  if (whole) {
    const bytes = await wholeInput(call);
    await sender.send([{ ...jsonContent("value", bytes), ...common(call.options) }]);
    return bytes.length;
  }
  return await sendLines(call, sender);
}

async function wholeInput(call: ProduceCall): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of (await openInput(call)).chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

async function sendLines(call: ProduceCall, sender: RecordSender): Promise<number> {
  const { io, options: given } = call;
  const input = await openInput(call);
  if (given.file === undefined && io.stdin.isTerminal) {
    await io.stderr.write("Write records, one per line. Ctrl-D ends.\n");
  }
  const isShown = !(given.file === undefined && io.stdin.isTerminal);
  const progress = new Progress(io.stderr);
  const pace = new Pace(given.rate);
  const lines = new LineReader(input.chunks);
  let records = 0;
  let bytes = 0;
  try {
    while (!io.signal.aborted) {
      const room = await pace.room(io.signal);
      const batch = await untilAborted(lines.take({ ...batchLimit, lines: room }), io.signal);
      if (batch === undefined) break;
      await sender.send(batch.map((line) => lineRecord(line, given)));
      pace.took(batch.length);
      records += batch.length;
      for (const line of batch) bytes += line.bytes.length;
      const read = batch.at(-1)?.inputBytes ?? 0;
      const fraction = input.sizeBytes === undefined ? {} : { fraction: read / input.sizeBytes };
      if (isShown) await progress.show({ records, bytes, ...fraction });
    }
  } finally {
    await progress.clear();
  }
  return bytes;
}

/** What `taken` gives, or undefined as soon as `signal` aborts. */
function untilAborted<T>(taken: Promise<T | undefined>, signal: AbortSignal) {
  return new Promise<T | undefined>((resolve, reject) => {
    const abort = () => resolve(undefined);
    signal.addEventListener("abort", abort, { once: true });
    taken.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

async function openInput(call: ProduceCall): Promise<{
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly sizeBytes: number | undefined;
}> {
  const { file } = call.options;
  if (file === undefined) return { chunks: call.io.stdin.chunks(), sizeBytes: undefined };
  try {
    const status = await stat(file);
    if (status.isDirectory()) throw new Error("it is a folder");
    const chunks = createReadStream(file, { highWaterMark: 1024 * 1024 });
    return { chunks, sizeBytes: status.isFile() ? status.size : undefined };
  } catch (error) {
    throw unreadableFile(file, error);
  }
}

function common(given: OptionValues<typeof options>): Pick<SentRecord, "key" | "partition"> {
  const { key, partition } = given;
  return { ...(key !== undefined && { key }), ...(partition !== undefined && { partition }) };
}

function lineRecord(line: Line, given: OptionValues<typeof options>): SentRecord {
  const { keySeparator } = given;
  if (keySeparator === undefined) return { ...jsonContent("value", line.bytes), ...common(given) };
  const separator = Buffer.from(keySeparator);
  const at = Buffer.from(line.bytes.buffer, line.bytes.byteOffset, line.bytes.length).indexOf(
    separator,
  );
  if (at < 0) return { ...jsonContent("value", line.bytes), ...common(given) };
  return {
    ...jsonContent("key", line.bytes.subarray(0, at)),
    ...jsonContent("value", line.bytes.subarray(at + separator.length)),
    ...common(given),
  };
}

/** Spreads records over time: a hundred milliseconds' worth at once, so that pauses stay short. */
class Pace {
  readonly #rate: number | undefined;
  readonly #startMs = clock.monotonic();
  #sent = 0;

  constructor(rate: number | undefined) {
    this.#rate = rate;
  }

  /** Waits until records may be sent; resolves to how many. */
  async room(signal: AbortSignal): Promise<number> {
    const rate = this.#rate;
    if (rate === undefined) return batchLimit.lines;
    const step = Math.max(1, Math.floor((rate * rateStepMs) / 1000));
    const dueMs = this.#startMs + (this.#sent / rate) * 1000;
    const waitMs = dueMs - clock.monotonic();
    if (waitMs > 0) await timers.sleep(waitMs, signal);
    return Math.min(step, batchLimit.lines);
  }

  took(count: number): void {
    this.#sent += count;
  }
}

async function reportSent(
  call: ProduceCall,
  ranges: readonly SentRange[],
  bytes: number,
): Promise<void> {
  const { io, options: given, positionals } = call;
  const topic = positionals[0] ?? "";
  const records = ranges.reduce((sum, range) => sum + range.count, 0);
  if (given.output === "json") {
    await writeJson(io, { topic, records, bytes, partitions: ranges });
    return;
  }
  const places = ranges.map((range) => {
    const { partition, firstOffset, lastOffset } = range;
    const offsets =
      firstOffset === lastOffset ? `${lastOffset}` : `${firstOffset} to ${lastOffset}`;
    return `  partition ${partition}: offset ${offsets}\n`;
  });
  const sum = `Appended ${counted(records, "record")} (${humanBytes(bytes)}) to ${topic}\n`;
  await io.stdout.write(sum + places.join(""));
}
