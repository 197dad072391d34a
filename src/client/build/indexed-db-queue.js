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
import { keyRange, } from "./indexed-db.js";
import { MillraceError } from "./millrace-error.js";
import { page, platform } from "./platform.js";
const laneTable = "lanes";
const recordTable = "records";
/**
 * Records wait in the database `millrace-NAME` of the page's origin.
 * @throws MillraceError where there is no IndexedDB or no Web Locks (pages over plain http).
 */
export function indexedDbQueue(name = "queue") {
    const { indexedDB, navigator } = page;
    const locks = navigator?.locks;
    if (indexedDB === undefined || locks === undefined) {
        throw new MillraceError("unsupported", "Cannot keep a queue: it needs IndexedDB and Web Locks, which pages have over https and on " +
            "localhost");
    }
    const lockPrefix = `millrace-${name}/`;
    const opened = openDatabase(indexedDB, `millrace-${name}`);
    // Whoever opens the queue hears of it.
    opened.catch(ignore);
    return {
        async open(topic, producerId, later) {
            const database = await opened;
            await hold(locks, lockPrefix + producerId, false);
            const known = (await read(database, laneTable, (lanes) => lanes.getAll()));
            const left = [];
            for (const { producerId: id, topic: of } of known.toSorted(byStart)) {
                if (of !== topic)
                    continue;
                const take = (ifAvailable) => hold(locks, lockPrefix + id, ifAvailable);
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
const ignore = () => undefined;
const byStart = (a, b) => a.startedAt - b.startedAt;
class DatabaseLane {
    #database;
    #row;
    #isWritten;
    constructor(database, row, isWritten = false) {
        this.#database = database;
        this.#row = row;
        this.#isWritten = isWritten;
    }
    async add(batch, index, text) {
        // Until one is there: what the disk has no room for may be the record that brings the lane.
        const isNew = !this.#isWritten;
        await change(this.#database, (lanes, records) => {
            if (isNew)
                lanes.put(this.#row, this.#row.producerId);
            records.put(text, [this.#row.producerId, batch, index]);
        });
        this.#isWritten = true;
    }
    async settle(batch, end, place) {
        const { producerId } = place;
        this.#row = { ...this.#row, ...place };
        await change(this.#database, (lanes, records) => {
            lanes.put(this.#row, producerId);
            // An array is greater than any number: without an end the range is all of the batch.
            const last = end === Infinity ? [] : end - 1;
            if (end > 0)
                records.delete(keyRange([producerId, batch], [producerId, batch, last]));
        });
        this.#isWritten = true;
    }
    async forget() {
        await change(this.#database, (lanes) => lanes.delete(this.#row.producerId));
    }
}
/** The lane with its records, once we hold it; none where a page has emptied it. */
async function leftLane(database, producerId) {
    const [row] = (await read(database, laneTable, (lanes) => lanes.getAll(producerId)));
    if (row === undefined)
        return [];
    const range = keyRange([producerId], [producerId, []]);
    const keys = await read(database, recordTable, (records) => records.getAllKeys(range));
    const texts = await read(database, recordTable, (records) => records.getAll(range));
    const batches = new Map();
    keys.forEach(([, number, index], position) => {
        const known = batches.get(number) ?? { number, done: index, texts: [] };
        known.texts.push(texts[position]);
        batches.set(number, known);
    });
    const store = new DatabaseLane(database, row, true);
    return [{ place: row, store, batches: [...batches.values()] }];
}
/** Holds a lock as long as the page lives; false: somebody else has it. */
function hold(locks, name, ifAvailable) {
    return new Promise((resolve, reject) => {
        locks
            .request(name, { ifAvailable }, (lock) => {
            resolve(lock !== null);
            return lock === null ? Promise.resolve() : new Promise(() => { });
        })
            .catch(reject);
    });
}
function openDatabase(factory, name) {
    const request = factory.open(name, 1);
    request.onupgradeneeded = () => {
        request.result.createObjectStore(laneTable);
        request.result.createObjectStore(recordTable);
    };
    return resultOf(request);
}
async function read(database, table, ask) {
    return await resultOf(ask(database.transaction(table).objectStore(table)));
}
/** One transaction over both tables; resolves when it is on disk. */
function change(database, act) {
    return new Promise((resolve, reject) => {
        const both = database.transaction([laneTable, recordTable], "readwrite");
        both.oncomplete = () => resolve();
        both.onabort = () => reject(both.error);
        act(both.objectStore(laneTable), both.objectStore(recordTable));
    });
}
function resultOf(request) {
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
}
