import { assert } from "../base/assert.ts";
import { StreamError } from "../base/stream-error.ts";
import { groupStatements } from "./publish-effects.ts";
import { decodeReceipt } from "./publish-receipt.ts";
import type { PublishEntry, PublishRequest, PublishResult } from "./publish-request.ts";
import * as sql from "./publish-statements.ts";
import type { SqlDatabase, SqlStatement } from "./sql-database.ts";
import { numberAt, rowsOf } from "./sql-values.ts";

/**
 * Publishes segments in the order given, all in one database batch; each has a publishPosition and
 * a receipt of its own. Safe to send again: what was published answers with its stored receipt.
 * Errors: `metadata_unavailable` when it is unknown whether anything happened; send the same again.
 */
export async function publish(
  database: SqlDatabase,
  requests: readonly PublishRequest[],
): Promise<PublishResult[]> {
  if (requests.length === 0) return [];
  const statements: SqlStatement[] = [];
  const answers: number[] = [];
  for (const request of requests) {
    appendStatements(statements, request);
    answers.push(statements.length - 1);
  }
  const results = await database.batch(statements, "write");
  return requests.map((request, index) => {
    const row = rowsOf(results, answers[index] ?? -1)[0];
    if (row === undefined) return fenced(request);
    const receipt = { ...decodeReceipt(row), catalogVersion: numberAt(row, 4) };
    assert(receipt.entries.length === request.entries.length, "a receipt line per entry");
    assert(receipt.groups.length === request.groups.length, "a receipt line per group");
    return receipt;
  });
}

function fenced({ workerEpoch, sequence }: PublishRequest): StreamError {
  return new StreamError(
    "worker_fenced",
    `Cannot publish segment ${sequence} of worker epoch ${workerEpoch}: the epoch is closed, or ` +
      "a later segment of it is published. Register again for a new epoch.",
    { details: { workerEpoch, sequence } },
  );
}

function appendStatements(statements: SqlStatement[], request: PublishRequest): void {
  const { workerEpoch, sequence, location } = request;
  const identity = [workerEpoch, sequence] as const;
  const grouped = request.groups.length > 0;
  const withProducers = request.entries.some((entry) => entry.producer !== null);
  const groups = groupStatements(request);
  statements.push({ sql: sql.advanceNamespace, args: identity });
  if (request.entries.length > 0) {
    assert(location !== null, "entries have a location");
    statements.push({
      sql: withProducers ? sql.stageProducerEntries : sql.stageEntries,
      args: [...identity, JSON.stringify(entryRows(request.entries))],
    });
    if (withProducers) statements.push({ sql: sql.probeDuplicates, args: [] });
  }
  statements.push(...groups.judge);
  if (withProducers || grouped) statements.push({ sql: sql.correctOffsets, args: [] });
  if (location !== null) {
    const { key, position, length } = location;
    statements.push(
      { sql: sql.countObject, args: [...identity, key, position + length] },
      { sql: sql.advancePartitions, args: [] },
      { sql: sql.insertExtents, args: [key] },
    );
    if (withProducers) statements.push({ sql: sql.upsertProducers, args: [] });
  }
  statements.push(...groups.write, {
    sql: grouped ? sql.recordGroupedSegment : sql.recordSegment,
    args: [...identity, location?.key ?? null, location?.position ?? 0, location?.length ?? 0],
  });
  if (request.entries.length > 0) statements.push({ sql: sql.emptyStaging, args: [] });
  if (grouped) statements.push({ sql: sql.emptyStagingGroups, args: [] });
  statements.push({ sql: sql.selectReceipt, args: identity });
}

type EntryRow = readonly unknown[];

/** The entries as publish-statements.ts lists their fields. */
function entryRows(entries: readonly PublishEntry[]): EntryRow[] {
  let countBefore = 0;
  let lengthBefore = 0;
  let previous: PublishEntry | null = null;
  const met = new Set<string>();
  return entries.map((entry) => {
    if (previous?.topicNumber !== entry.topicNumber || previous.partition !== entry.partition) {
      countBefore = 0;
      lengthBefore = 0;
      const name = `${entry.topicNumber}/${entry.partition}`;
      // Offsets are counted along neighbours: a partition met twice would get offsets twice.
      assert(!met.has(name), "entries of a partition stand together");
      met.add(name);
    } else {
      assert(entry.position >= previous.position + previous.length, "entries lie in order");
    }
    const row = [
      ...[entry.topicNumber, entry.partition, entry.position, entry.length, entry.recordCount],
      ...[entry.maxTimestamp, countBefore, entry.position - lengthBefore, entry.minTimestamp],
      ...tail(entry),
    ];
    countBefore += entry.recordCount;
    lengthBefore += entry.length;
    previous = entry;
    return row;
  });
}

function tail({ group, producer }: PublishEntry): EntryRow {
  const groupNumber = group < 0 ? null : group;
  if (producer === null) return group < 0 ? [] : [groupNumber];
  const { id, epoch, firstSequence, lastSequence, batches } = producer;
  const many = batches.length > 1 ? batches : null;
  const row = [groupNumber, id, epoch, firstSequence, lastSequence, many];
  return producer.mustBeKnown === true ? [...row, 1] : row;
}
