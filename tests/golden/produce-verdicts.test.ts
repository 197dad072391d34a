/**
 * What a Kafka 4.2 broker answers to record batches, odd ones included, and what it then stores;
 * see generate/record-batch/README.md.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { isStreamError } from "../../src/base/stream-error.ts";
import { readBatchHeader, setLogAppendTime, stampBatch } from "../../src/record/batch.ts";
import { type ValidateBatchOptions, validateBatch } from "../../src/record/batch-validate.ts";
import { codecs, crc32c } from "../support/record-tools.ts";

interface Verdict {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
  /** When the batches were made: the broker judged them within a minute. */
  readonly now: number;
  readonly sent: string;
  readonly error: string;
  readonly stored: string;
}

const file = new URL("fixtures/record-batch/produce-verdicts.jsonl", import.meta.url);
const lines = readFileSync(file, "utf8").trimEnd().split("\n");
const verdicts = lines.map((line) => JSON.parse(line) as Verdict);

const codes: Readonly<Record<string, string>> = {
  NONE: "accepted",
  INVALID_RECORD: "invalid_record",
  INVALID_TIMESTAMP: "invalid_timestamp",
  CORRUPT_MESSAGE: "corrupt_record",
};

/** Where we differ on purpose: stricter, or a name for what Kafka calls UNKNOWN_SERVER_ERROR. */
const ours: Readonly<Record<string, string>> = {
  "LogAppendTime batch": "invalid_timestamp",
  "delete horizon": "invalid_record",
  "undefined attribute bit 7": "invalid_record",
  "undefined attribute bit 15": "invalid_record",
  "codec 5": "unsupported_compression",
  "not the gzip it says": "corrupt_record",
  "not the snappy it says": "corrupt_record",
  "not the lz4 it says": "corrupt_record",
  "not the zstd it says": "corrupt_record",
  "producer id without an epoch": "invalid_record",
  "producer id -2": "invalid_record",
  "transactional without a producer id": "invalid_record",
  "first offset delta 1": "invalid_record",
  "three bytes after the batch": "invalid_record",
};

function optionsFor({ config, now }: Verdict): ValidateBatchOptions {
  const before = config["message.timestamp.before.max.ms"];
  const after = config["message.timestamp.after.max.ms"];
  const timestampBounds =
    before === undefined || after === undefined
      ? undefined
      : { min: now - Number(before), max: now + Number(after) };
  const keysRequired = config["cleanup.policy"] === "compact";
  return { crc32c, codecs, decompressedBytesMax: 1 << 20, timestampBounds, keysRequired };
}

test.each(verdicts)("a batch is judged as Kafka does: $name", (verdict) => {
  const batch = Uint8Array.fromBase64(verdict.sent);
  let code = "accepted";
  try {
    validateBatch(batch, optionsFor(verdict));
  } catch (error) {
    if (!isStreamError(error)) throw error;
    code = error.code;
  }
  expect(code).toBe(ours[verdict.name] ?? codes[verdict.error] ?? "a code for it");
  if (code !== "accepted") return;
  const stored = Uint8Array.fromBase64(verdict.stored);
  if (verdict.config["message.timestamp.type"] === "LogAppendTime") {
    setLogAppendTime(batch, readBatchHeader(stored).maxTimestamp, crc32c);
  }
  stampBatch(batch, 0, { baseOffset: 0, leaderEpoch: 0 });
  expect(batch).toEqual(stored);
});
