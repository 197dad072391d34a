/**
 * What must hold between metadata and store once all workers have left but one and the collector
 * has run: every index row's bytes are there, every object is named by a row, publish positions are
 * one total order, what objects say of publishes is what the metadata says, and objects alone
 * prove every publish that still has bytes.
 */

import { isStreamError } from "../../../src/base/stream-error.ts";
import { segmentReceipt } from "../../../src/log/receipt-ledger.ts";
import { decodeReceipt } from "../../../src/meta/publish-receipt.ts";
import type { SqlValue } from "../../../src/meta/sql-database.ts";
import { decodeReceiptObject, type ReceiptObject } from "../../../src/segment/receipt-object.ts";
import { scanSegments } from "../../../src/segment/scan.ts";
import type { Receipt } from "../../../src/segment/segment.ts";
import { parseReceiptKey, parseSegmentKey } from "../../../src/store/object-keys.ts";
import type { ObjectStore } from "../../../src/store/object-store.ts";
import type { SimulatedDatabase } from "../simulated-database.ts";
import type { World } from "../world.ts";

export interface StoredParts {
  readonly world: World;
  readonly database: SimulatedDatabase;
  /** Without faults. */
  readonly store: ObjectStore;
}

function query({ database }: StoredParts, sql: string): readonly (readonly SqlValue[])[] {
  return database.execute([{ sql, args: [] }], "read")[0]?.rows ?? [];
}

export async function checkIndex(parts: StoredParts): Promise<void> {
  const { world, store } = parts;
  const rows = query(
    parts,
    `SELECT e.topic_number, e.partition, e.base_offset, e.last_offset, o.key,
  e.position, e.length, o.size_bytes FROM extent e LEFT JOIN object o ON o.object_id = e.object_id
ORDER BY e.topic_number, e.partition, e.base_offset`,
  );
  let before: readonly SqlValue[] | undefined;
  for (const row of rows) {
    const [topic, partition, base, , key, position, length] = row;
    const name = `extent ${topic}/${partition} ${base}`;
    const samePartition = before?.[0] === topic && before?.[1] === partition;
    if (samePartition && Number(before?.[3]) + 1 !== base) {
      world.violate(`${name} does not follow ${before?.[3]}`);
    }
    before = row;
    const sizeBytes = await store.sizeOf(String(key));
    if (sizeBytes === undefined || sizeBytes < Number(position) + Number(length)) {
      world.violate(`${name}: ${key} has ${sizeBytes} bytes, not ${position}+${length}`);
    }
  }
  checkCounts(parts);
}

function checkCounts(parts: StoredParts): void {
  const wrong = query(
    parts,
    `SELECT o.key, o.live_rows, (SELECT count(*) FROM extent e WHERE e.object_id = o.object_id)
FROM object o
WHERE o.live_rows <> (SELECT count(*) FROM extent e WHERE e.object_id = o.object_id)
  OR (o.live_rows = 0) <> (o.released_at IS NOT NULL)`,
  );
  for (const row of wrong) parts.world.violate(`object counts rows wrongly: ${row.join(" ")}`);
  const sizes = query(
    parts,
    `SELECT p.topic_number, p.partition, p.size_bytes FROM topic_partition p
WHERE p.size_bytes <> (SELECT coalesce(sum(e.length), 0) FROM extent e
  WHERE e.topic_number = p.topic_number AND e.partition = p.partition)`,
  );
  for (const row of sizes) parts.world.violate(`partition counts bytes wrongly: ${row.join(" ")}`);
}

/** Positions ascend with times; each is one segment's; a worker's sequences ascend with them. */
export function checkPublishOrder(parts: StoredParts): void {
  const rows = query(
    parts,
    `SELECT publish_position, published_at, worker_epoch, sequence FROM segment
ORDER BY publish_position`,
  );
  const lastSequence = new Map<SqlValue, number>();
  let before = { position: -1, publishedAt: -1 };
  for (const row of rows) {
    const [position, publishedAt, workerEpoch, sequence] = row.map(Number) as [
      number,
      number,
      number,
      number,
    ];
    if (publishedAt < before.publishedAt) {
      parts.world.violate(`publish ${position} is of ${publishedAt}, before its predecessor`);
    }
    if (sequence <= (lastSequence.get(workerEpoch) ?? -1)) {
      parts.world.violate(`publish ${position} of ${workerEpoch}/${sequence} comes too late`);
    }
    lastSequence.set(workerEpoch, sequence);
    before = { position, publishedAt };
  }
}

/** Only after every epoch but that of the last worker is closed, and the collector has run. */
export async function checkGarbage(parts: StoredParts): Promise<void> {
  const { world, store } = parts;
  const named = new Set(query(parts, "SELECT key FROM object").map(([key]) => String(key)));
  for await (const { key } of store.list("segments/")) {
    if (!named.has(key)) world.violate(`${key} is garbage that nobody collects`);
  }
  const released = query(parts, "SELECT key FROM object WHERE live_rows = 0");
  for (const [key] of released) world.violate(`${key} is released and still kept`);
}

/** What the database knew of publishes, so that it can be asked for after it was forgotten. */
export interface PublishedSegments {
  readonly receipts: ReadonlyMap<string, Receipt>;
  /** Publishes up to here may have been forgotten by then. */
  readonly forgottenPosition: number;
  /**
   * The database lost transactions to a power loss, fsync being off: objects then prove publishes
   * that it does not know, or whose segment was published again and answered otherwise.
   */
  readonly databaseForgot: boolean;
}

export function publishedSegments(
  parts: StoredParts,
  { databaseForgot }: Pick<PublishedSegments, "databaseForgot">,
): PublishedSegments {
  const rows = query(
    parts,
    `SELECT s.publish_position, s.published_at, s.entries, s.groups, s.worker_epoch, s.sequence
FROM segment s`,
  );
  const receipts = new Map<string, Receipt>();
  for (const row of rows) {
    const receipt = segmentReceipt(Number(row[5]), decodeReceipt(row));
    receipts.set(`${row[4]}/${row[5]}`, receipt);
  }
  const [namespace] = query(parts, "SELECT forgotten_position FROM namespace");
  return { receipts, forgottenPosition: Number(namespace?.[0]), databaseForgot };
}

/** Every receipt in an object is what the database answered. */
export async function checkReceipts(
  parts: StoredParts,
  { receipts: published, forgottenPosition, databaseForgot }: PublishedSegments,
): Promise<ReadonlySet<string>> {
  const { world } = parts;
  const proved = new Set<string>();
  for await (const { workerEpoch, receipts } of storedReceipts(parts)) {
    for (const stored of receipts) {
      const name = `${workerEpoch}/${stored.sequence}`;
      const expected = published.get(name);
      const isSame = JSON.stringify(stored) === JSON.stringify(expected);
      if (isSame || !databaseForgot) proved.add(name);
      if (isSame || databaseForgot) continue;
      if (expected === undefined) {
        if (stored.publishPosition <= forgottenPosition) continue;
        world.violate(`a receipt proves ${name}, which was not published`);
      } else {
        world.violate(`the receipt of ${name} in the store is not the database's`);
      }
    }
  }
  return proved;
}

/** Objects alone prove every publish that still has records. */
export async function checkProofs(parts: StoredParts, published: PublishedSegments): Promise<void> {
  const proved = await checkReceipts(parts, published);
  const live = new Set(
    query(parts, "SELECT DISTINCT publish_position FROM extent").map(([position]) => position),
  );
  for (const [name, { publishPosition }] of published.receipts) {
    if (!live.has(publishPosition) || proved.has(name)) continue;
    parts.world.violate(`no object proves segment ${name}`);
  }
}

async function* storedReceipts({ world, store }: StoredParts) {
  for await (const { key, sizeBytes } of store.list("receipts/")) {
    if (parseReceiptKey(key) === undefined) continue;
    const bytes = await store.read({ key, position: 0, length: sizeBytes });
    const object = wholeReceipts(bytes, world);
    if (object !== undefined) yield object;
  }
  for await (const { key, sizeBytes } of store.list("segments/")) {
    const parsed = parseSegmentKey(key);
    if (parsed === undefined) continue;
    const findings = scanSegments({
      read: (range) => store.read({ key, ...range }),
      sizeBytes,
      crc32c: world.time.crc32c,
      workerEpoch: parsed.workerEpoch,
      checkBodies: false,
    });
    for await (const finding of findings) {
      if (finding.kind !== "segment") continue;
      yield { workerEpoch: parsed.workerEpoch, receipts: finding.footer.receipts };
    }
  }
}

/** Undefined for what a crash left of a write. */
function wholeReceipts(bytes: Uint8Array, world: World): ReceiptObject | undefined {
  try {
    return decodeReceiptObject(bytes, world.time.crc32c);
  } catch (error) {
    if (isStreamError(error, "corrupt_segment")) return undefined;
    throw error;
  }
}
