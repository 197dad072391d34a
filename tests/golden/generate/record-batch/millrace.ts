/**
 * Writes our own batches of the golden records, for foreign programs to read:
 *
 *   bun tests/golden/generate/record-batch/millrace.ts DIR
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { codecNames } from "../../../../src/base/codecs.ts";
import { encodeBatch } from "../../../../src/record/batch-encode.ts";
import { largeRecords, smallRecords } from "../../../support/golden-records.ts";
import { codecs, crc32c } from "../../../support/record-tools.ts";

const folder = process.argv[2] ?? ".";
for (const codec of codecNames) {
  for (const [prefix, records] of [
    ["millrace-", smallRecords],
    ["millrace-large-", largeRecords],
  ] as const) {
    const batch = encodeBatch({ records, codec, baseOffset: 1000 }, { codecs, crc32c });
    writeFileSync(join(folder, `${prefix}${codec}.bin`), batch);
  }
}
