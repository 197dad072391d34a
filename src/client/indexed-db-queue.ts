/**
 * A queue on the disk of a browser: records that a page has produced wait there until they are
 * appended, through reloads and days without network.
 *
 * Each page has a lane of its own, with its own producer id, so that two tabs never count in one
 * sequence. A page holds a Web Lock on its lane while it lives; the next page takes over lanes that
 * nobody holds, sends what is in them under their own ids from where they stood, and removes them.
 * For those of pages that are there it waits, since one that is being closed is there for a while.
 *
 *     "lanes"    producerId                    → LaneRow
 *     "records"  [producerId, batch, index]    → the record as JSON text
 *
 * Records and the lane's place change in one transaction: after a crash the first batch is either
 * there, to be sent again from the same place, or gone and counted.
 */
import {
  type IdbDatabase,
  type IdbFactory,
  type IdbRequest,
  type IdbTable,
  keyRange,
} from "./indexed-db.ts";
import type { LanePlace, LaneStore } from "./lane.ts";
import { MillraceError } from "./millrace-error.ts";
import { type LockManagerLike, page, platform } from "./platform.ts";
import type { LeftLane, ProducerQueue } from "./producer.ts";

interface LaneRow extends LanePlace {
  readonly topic: string;
  /** When the page began, to send older records first. */
  readonly startedAt: number;
}

type RecordKey = [producerId: string, batch: number, index: number];

const laneTable = "lanes";
const recordTable = "records";

/**
 * Records wait in the database `millrace-NAME` of the page's origin.
 * @throws MillraceError where there is no IndexedDB or no Web Locks (pages over plain http).
 */
export function indexedDbQueue(name = "queue"): ProducerQueue {
  const { indexedDB, navigator } = page;
  const locks = navigator?.locks;
  if (indexedDB === undefined || locks === undefined) {
    throw new MillraceError(
      "unsupported",
      "Cannot keep a queue: it needs IndexedDB and Web Locks, which pages have over https and on " +
        "localhost",
    );
  }
  const lockPrefix = `millrace-${name}/`;
  const opened = openDatabase(indexedDB, `millrace-${name}`);
  // Whoever opens the queue hears of it.
  opened.catch(ignore);
  return {
    async open(topic, producerId, later) {
      const database = await opened;
      await hold(locks, lockPrefix + producerId, false);
      const known = (await read(database, laneTable, (lanes) => lanes.getAll())) as LaneRow[];
      const left: LeftLane[] = [];
      for (const { producerId: id, topic: of } of known.toSorted(byStart)) {
        if (of !== topic) continue;
        const take = (ifAvailable: boolean) => hold(locks, lockPrefix + id, ifAvailable);
        if (await take(true)) {
          left.push(...(await leftLane(database, id)));
          continue;
        }
        const late = take(false).then(() => leftLane(database, id));
        // What cannot be read then is there for the next page.
        void late.then((lanes) => lanes.forEach(later), ignore);
      }
      const row = { producerId, producerEpoch: 0, base: 0, topic, startedAt: platform.now() };
      return { own: new DatabaseLane(database, row), left };
    },
  };
}

const ignore = (): undefined => undefined;
const byStart = (a: LaneRow, b: LaneRow): number => a.startedAt - b.startedAt;

class DatabaseLane implements LaneStore {
  readonly #database: IdbDatabase;
  #row: LaneRow;
  #isWritten: boolean;

  constructor(database: IdbDatabase, row: LaneRow, isWritten = false) {
    this.#database = database;
    this.#row = row;
    this.#isWritten = isWritten;
  }

  async add(batch: number, index: number, text: string): Promise<void> {
    // Until one is there: what the disk has no room for may be the record that brings the lane.
    const isNew = !this.#isWritten;
    await change(this.#database, (lanes, records) => {
      if (isNew) lanes.put(this.#row, this.#row.producerId);
      records.put(text, [this.#row.producerId, batch, index] satisfies RecordKey);
    });
    this.#isWritten = true;
  }

  async settle(batch: number, end: number, place: LanePlace): Promise<void> {
    const { producerId } = place;
    this.#row = { ...this.#row, ...place };
    await change(this.#database, (lanes, records) => {
      lanes.put(this.#row, producerId);
      // An array is greater than any number: without an end the range is all of the batch.
      const last = end === Infinity ? [] : end - 1;
      if (end > 0) records.delete(keyRange([producerId, batch], [producerId, batch, last]));
    });
    this.#isWritten = true;
  }

  async forget(): Promise<void> {
    await change(this.#database, (lanes) => lanes.delete(this.#row.producerId));
  }
}

/** The lane with its records, once we hold it; none where a page has emptied it. */
async function leftLane(database: IdbDatabase, producerId: string): Promise<LeftLane[]> {
  const [row] = (await read(database, laneTable, (lanes) => lanes.getAll(producerId))) as LaneRow[];
  if (row === undefined) return [];
  const range = keyRange([producerId], [producerId, []]);
  const keys = await read(database, recordTable, (records) => records.getAllKeys(range));
  const texts = await read(database, recordTable, (records) => records.getAll(range));
  const batches = new Map<number, { number: number; done: number; texts: string[] }>();
  (keys as RecordKey[]).forEach(([, number, index], position) => {
    const known = batches.get(number) ?? { number, done: index, texts: [] };
    known.texts.push(texts[position] as string);
    batches.set(number, known);
  });
  const store = new DatabaseLane(database, row, true);
  return [{ place: row, store, batches: [...batches.values()] }];
}

/** Holds a lock as long as the page lives; false: somebody else has it. */
function hold(locks: LockManagerLike, name: string, ifAvailable: boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    locks
      .request(name, { ifAvailable }, (lock) => {
        resolve(lock !== null);
        return lock === null ? Promise.resolve() : new Promise<void>(() => {});
      })
      .catch(reject);
  });
}

function openDatabase(factory: IdbFactory, name: string): Promise<IdbDatabase> {
  const request = factory.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(laneTable);
    request.result.createObjectStore(recordTable);
  };
  return resultOf(request);
}

async function read<T>(
  database: IdbDatabase,
  table: string,
  ask: (table: IdbTable) => IdbRequest<T>,
): Promise<T> {
  return await resultOf(ask(database.transaction(table).objectStore(table)));
}

/** One transaction over both tables; resolves when it is on disk. */
function change(
  database: IdbDatabase,
  act: (lanes: IdbTable, records: IdbTable) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const both = database.transaction([laneTable, recordTable], "readwrite");
    both.oncomplete = () => resolve();
    both.onabort = () => reject(both.error);
    act(both.objectStore(laneTable), both.objectStore(recordTable));
  });
}

function resultOf<T>(request: IdbRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
