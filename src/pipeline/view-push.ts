/**
 * A view followed: its rows, then every change of them, each event with a cursor from which another
 * worker goes on without loss or repeat. A cursor is the id of the view's topic and the offset that
 * comes next; within the snapshot also the offset that the snapshot has come to:
 * `<topic id>:<next offset>[:<next record>][@<epochs>]`, where the epochs are the topic's leader
 * epochs, all partitions' together, unless they are 0: they rise when the log is cut, and what a
 * follower has of records that were cut nobody else has.
 *
 * Events are what the topic says and nothing else, so that every worker gives the same ones. What a
 * record changed is read from the shared table as long as that keeps it; a follower who comes from
 * further behind reads a table of its own until it has caught up.
 */
import type { Codecs } from "../base/codecs.ts";
import { StreamError } from "../base/stream-error.ts";
import { decodeRecords } from "../record/batch-records.ts";
import type { ChangeEvent } from "./sql-result.ts";
import type { ViewFeed } from "./view-feed.ts";
import type { Pages } from "./view-pages.ts";
import type { ViewReply } from "./view-protocol.ts";
import { changeKinds, type PushStatements } from "./view-statement.ts";
import { resultBytesMax } from "./view-table.ts";
import type { ViewRef, ViewTables } from "./view-tables.ts";

export interface ViewCursor {
  readonly topicId: string;
  /** Records below it are in what the follower has, or in the snapshot. */
  readonly nextOffset: number;
  /** Within the snapshot: rows of records below it were given; else null. */
  readonly snapshotFrom: number | null;
  /** Sum of the leader epochs that the follower's rows were read at. */
  readonly epochs: number;
}

export interface PushQuery {
  readonly tables: ViewTables;
  readonly ref: ViewRef;
  readonly statements: PushStatements;
  readonly cursor: ViewCursor | null;
  readonly signal: AbortSignal;
  /** Called when all that the table has is given, with the place behind it. */
  readonly onStill?: ((cursor: string) => void) | undefined;
}

/** Events that are read at once: what a slow follower has waiting at most. */
const eventsPerRead = 1_000;
/** Offsets by which a follower's own table moves at once: never past what it keeps changes of. */
const stepMax = 16_384;
const endOfLog = Number.MAX_SAFE_INTEGER;

/** @throws StreamError `invalid_request` */
export function parseCursor(text: string): ViewCursor {
  const parts = /^([A-Za-z0-9_-]{22}):(\d{1,15})(?::(\d{1,15}))?(?:@(\d{1,15}))?$/.exec(text);
  if (parts === null) {
    const shown = text.slice(0, 60);
    const message = `Cannot go on at the cursor "${shown}": it is none. Begin without one`;
    throw new StreamError("invalid_request", message, { details: { field: "cursor" } });
  }
  const [, topicId = "", next, snapshot, epochs = "0"] = parts;
  const snapshotFrom = snapshot === undefined ? null : Number(snapshot);
  return { topicId, nextOffset: Number(next), snapshotFrom, epochs: Number(epochs) };
}

function cursorText({ topicId, nextOffset, snapshotFrom, epochs }: ViewCursor): string {
  const from = snapshotFrom === null ? "" : `:${snapshotFrom}`;
  return `${topicId}:${nextOffset}${from}${epochs === 0 ? "" : `@${epochs}`}`;
}

/**
 * Refuses a cursor of another view, of one that was dropped and made again, or from before the
 * view's topic was cut, unless everything below it is still what it was.
 * @throws StreamError `topic_recreated`, `offset_out_of_range`
 */
export async function checkCursor(
  tables: ViewTables,
  ref: ViewRef,
  { topicId, nextOffset, epochs }: ViewCursor,
): Promise<void> {
  const { name } = ref.entry;
  if (topicId !== ref.topic.topicId) {
    const message = `Cannot go on reading "${name}" there: the view was made again. Begin anew`;
    throw new StreamError("topic_recreated", message, { details: { view: name } });
  }
  const kept = await tables.keptOf(ref, epochs);
  if (nextOffset > kept) {
    const message =
      `Cannot go on reading "${name}" at ${nextOffset}: the log was cut at ${kept} since then, and ` +
      "rows that you have are gone. Begin anew";
    throw new StreamError("offset_out_of_range", message, { details: { view: name, kept } });
  }
  const end = await tables.endOf(ref);
  if (nextOffset <= end) return;
  const message = `Cannot go on reading "${name}" at ${nextOffset}: it ends at ${end}. Begin anew`;
  throw new StreamError("offset_out_of_range", message, { details: { view: name, end } });
}

/** Events until `signal` aborts. @throws StreamError when the view is dropped. */
export async function* pushEvents(query: PushQuery): AsyncGenerator<ChangeEvent, void> {
  const { tables, ref, signal } = query;
  const shared = await tables.open(ref);
  shared.followerCount += 1;
  try {
    await shared.follow(true);
    yield* new Follower(query, shared).events();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    shared.followerCount -= 1;
    shared.usedAt = Math.max(shared.usedAt, tables.platform.clock.monotonic());
  }
}

class Follower {
  readonly #query: PushQuery;
  readonly #shared: ViewFeed;

  constructor(query: PushQuery, shared: ViewFeed) {
    this.#query = query;
    this.#shared = shared;
  }

  async *events(): AsyncGenerator<ChangeEvent, void> {
    const { cursor } = this.#query;
    let next: number;
    if (cursor === null) next = yield* this.#snapshot();
    else if (cursor.snapshotFrom === null) next = cursor.nextOffset;
    else next = yield* this.#restOfSnapshot(cursor.nextOffset, cursor.snapshotFrom);
    const { signal, ref, onStill } = this.#query;
    while (!signal.aborted) {
      await this.#shared.reached(next, signal);
      if (signal.aborted) return;
      const from = this.#shared.state.changesFrom;
      if (from === null || from > next) next = yield* this.#catchUp(next);
      else next = yield* this.#changes(this.#shared, next);
      if (next < this.#shared.state.position) continue;
      onStill?.(this.#cursor(ref, next, null));
      await this.#shared.reached(next + 1, signal);
    }
  }

  /** Every row as of now. Gives the offset behind it. */
  async *#snapshot(): AsyncGenerator<ChangeEvent, number> {
    const { tables, ref, signal } = this.#query;
    await this.#shared.reached(await tables.endOf(ref), signal);
    const pages = await this.#readSnapshot(this.#shared, 0, endOfLog);
    yield* this.#snapshotEvents(pages, pages.state.position);
    return pages.state.position;
  }

  /** Rows of the table as it was at `nextOffset`, from the record `from` on. */
  async *#restOfSnapshot(nextOffset: number, from: number): AsyncGenerator<ChangeEvent, number> {
    const { ref, tables, signal } = this.#query;
    await this.#shared.reached(nextOffset, signal);
    // What is only added stays as it was; else another table has to be as this one has been.
    const isHere = ref.entry.changes === "append" || this.#shared.state.position === nextOffset;
    if (isHere) {
      const pages = await this.#readSnapshot(this.#shared, from, nextOffset);
      if (ref.entry.changes === "append" || pages.state.position === nextOffset) {
        yield* this.#snapshotEvents(pages, nextOffset);
        return nextOffset;
      }
    }
    const own = await tables.detached(ref);
    try {
      await own.advance(nextOffset);
      yield* this.#snapshotEvents(await this.#readSnapshot(own, from, nextOffset), nextOffset);
    } finally {
      tables.closeDetached(own);
    }
    return nextOffset;
  }

  #readSnapshot(feed: ViewFeed, from: number, until: number): Promise<Pages> {
    const { statements, signal } = this.#query;
    return feed.readPages(statements.snapshot({ from, until, limit: endOfLog }), signal);
  }

  /** Changes that the shared table keeps no more, by a table of this follower's own. */
  async *#catchUp(from: number): AsyncGenerator<ChangeEvent, number> {
    const { tables, ref, signal } = this.#query;
    const own = await tables.detached(ref);
    try {
      await own.advance(from);
      await own.follow(true);
      let next = from;
      while (!signal.aborted) {
        const { changesFrom, position } = this.#shared.state;
        if (next >= position || (changesFrom !== null && changesFrom <= next)) return next;
        if (next >= own.state.position) {
          await own.advance(Math.min(position, next + Math.min(stepMax, tables.changesMax)));
        }
        next = yield* this.#changes(own, next);
      }
      return next;
    } finally {
      tables.closeDetached(own);
    }
  }

  /** Changes from `next` on that the table has; gives the offset behind them. */
  async *#changes(feed: ViewFeed, next: number): AsyncGenerator<ChangeEvent, number> {
    const { statements, ref, signal } = this.#query;
    const range = { from: next, until: endOfLog, limit: eventsPerRead };
    const reply = await feed.read(statements.changes(range));
    const { changesFrom, position } = reply.state;
    // It has moved on in between: these changes are gone, and are found elsewhere.
    if (changesFrom === null || changesFrom > next) return next;
    let last = next;
    for (const { at, kind, row } of eventsOf(reply, this.#query.tables.platform.codecs)) {
      if (signal.aborted) return last;
      last = at + 1;
      const cursor = this.#cursor(ref, last, null);
      yield { kind: changeKinds[kind] as ChangeEvent["kind"], row, cursor };
    }
    return (reply.rows?.rowCount ?? 0) >= eventsPerRead ? last : position;
  }

  /** Only the last row, behind which the snapshot is whole, has a cursor without a place in it. */
  async *#snapshotEvents(pages: Pages, nextOffset: number): AsyncGenerator<ChangeEvent, void> {
    const { ref, signal, tables } = this.#query;
    let held: ReadEvent | null = null;
    for await (const reply of pages.taken()) {
      for (const event of eventsOf(reply, tables.platform.codecs)) {
        if (signal.aborted) return;
        if (held !== null) {
          const cursor = this.#cursor(ref, nextOffset, held.at + 1);
          yield { kind: "snapshot", row: held.row, cursor };
        }
        held = event;
      }
    }
    if (held === null || signal.aborted) return;
    yield { kind: "snapshot", row: held.row, cursor: this.#cursor(ref, nextOffset, null) };
  }

  /** Of the shared table: it ends when the log is cut, and its followers with it. */
  #cursor({ topic }: ViewRef, nextOffset: number, snapshotFrom: number | null): string {
    const { epochs } = this.#shared;
    return cursorText({ topicId: topic.topicId, nextOffset, snapshotFrom, epochs });
  }
}

interface ReadEvent {
  readonly at: number;
  readonly kind: number;
  readonly row: Uint8Array;
}

const decoder = new TextDecoder();

function* eventsOf({ rows }: ViewReply, codecs: Codecs): Generator<ReadEvent, void> {
  for (const batch of rows?.batches ?? []) {
    for (const { key, value } of decodeRecords(batch, { codecs, sizeMax: resultBytesMax })) {
      const place = JSON.parse(decoder.decode(key ?? new Uint8Array())) as ReadEvent;
      yield { at: place.at, kind: place.kind, row: value ?? new Uint8Array() };
    }
  }
}
