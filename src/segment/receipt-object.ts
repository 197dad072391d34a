/**
 * An object that holds nothing but receipts. A worker's next segment carries the receipts of its
 * earlier publishes; an idle worker has no next segment and writes its last ones here within a
 * second, as does whoever closes a workerEpoch for what that worker left out.
 *
 * | position | bytes | field                                                       |
 * |---------:|------:|-------------------------------------------------------------|
 * |        0 |     8 | "MILLRCPT"                                                  |
 * |        8 |     2 | version, 1                                                  |
 * |       10 |     2 | zero                                                        |
 * |       12 |     4 | receipt count                                               |
 * |       16 |     8 | workerEpoch                                                 |
 * |       24 |     8 | createdAt, milliseconds since 1970                          |
 * |       32 |     … | receipts, as in a segment's footer                          |
 * |        … |     4 | CRC-32C of all before                                       |
 */
import type { Crc32c } from "../base/crc32c.ts";
import { StreamError } from "../base/stream-error.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { readReceipts, receiptsLength, writeReceipts } from "./receipt-fields.ts";
import type { Receipt } from "./segment.ts";

export interface ReceiptObject {
  readonly workerEpoch: number;
  readonly createdAt: number;
  readonly receipts: readonly Receipt[];
}

const version = 1;
const headLength = 32;
const crcLength = 4;
const magic = "MILLRCPT";

export function encodeReceiptObject(object: ReceiptObject, crc32c: Crc32c): Uint8Array {
  const bytes = new Uint8Array(headLength + receiptsLength(object.receipts) + crcLength);
  const writer = new ByteWriter(bytes);
  writer.bytes(new TextEncoder().encode(magic));
  writer.u16(version);
  writer.u16(0);
  writer.u32(object.receipts.length);
  writer.i64(object.workerEpoch);
  writer.i64(object.createdAt);
  writeReceipts(writer, object.receipts);
  writer.u32(crc32c.of(bytes.subarray(0, writer.position)));
  return bytes;
}

/** Errors: `corrupt_segment` with the place, `unsupported_format` for a later version. */
export function decodeReceiptObject(bytes: Uint8Array, crc32c: Crc32c): ReceiptObject {
  const what = "a receipt object";
  const content = bytes.subarray(0, Math.max(0, bytes.length - crcLength));
  const reader = new ByteReader(content, what);
  const trailer = new ByteReader(bytes.subarray(content.length), what, content.length);
  if (trailer.u32("checksum") !== crc32c.of(content)) {
    throw trailer.corrupt("its checksum does not match", 0);
  }
  if (reader.text(magic.length, "mark") !== magic) throw reader.corrupt("none begins here", 0);
  const found = reader.u16("version");
  if (found !== version) {
    throw new StreamError(
      "unsupported_format",
      `Cannot read a receipt object of version ${found}: this program knows ${version}`,
      { details: { version: found } },
    );
  }
  if (reader.u16("reserved bytes") !== 0) throw reader.corrupt("a reserved field is not zero", 10);
  const count = reader.u32("receipt count");
  const workerEpoch = reader.count("worker epoch");
  const createdAt = reader.i64("createdAt");
  const receipts = readReceipts(reader, count);
  reader.expectEnd();
  return { workerEpoch, createdAt, receipts };
}
