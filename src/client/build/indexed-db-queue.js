/**
 * A queue on the disk of a browser: records that a page has produced wait there until they are
 * appended, through reloads and days without network.
 *
 * Each page has a lane of its own, with its own producer id, so that two tabs never count in one
 * sequence. A page holds a Web Lock on its lane while it lives; the next page takes over lanes that
 * nobody holds, sends what is in them under their own ids from where they stood, and removes them.
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
    opened.catch(() => undefined);
    return {
        async open(topic, producerId) {
            const database = await opened;
            await hold(locks, lockPrefix + producerId, false);
            const left = await takeOver(database, topic, (id) => hold(locks, lockPrefix + id, true));
            const row = { producerId, producerEpoch: 0, base: 0, topic, startedAt: platform.now() };
            return { own: new DatabaseLane(database, row), left };
        },
    };
}
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
/** Lanes of `topic` that no page holds, with their records. */
async function takeOver(database, topic, isFree) {
    const rows = (await read(database, laneTable, (lanes) => lanes.getAll()));
    const left = [];
    for (const known of rows.toSorted((a, b) => a.startedAt - b.startedAt)) {
        if (known.topic !== topic || !(await isFree(known.producerId)))
            continue;
        // Read again: until a moment ago another page may have held the lane and moved its place.
        const [row] = (await read(database, laneTable, (lanes) => lanes.getAll(known.producerId)));
        if (row === undefined)
            continue;
        const range = keyRange([row.producerId], [row.producerId, []]);
        const keys = await read(database, recordTable, (records) => records.getAllKeys(range));
        const texts = await read(database, recordTable, (records) => records.getAll(range));
        const batches = new Map();
        keys.forEach(([, number, index], position) => {
            const known = batches.get(number) ?? { number, done: index, texts: [] };
            known.texts.push(texts[position]);
            batches.set(number, known);
        });
        left.push({
            place: row,
            store: new DatabaseLane(database, row, true),
            batches: [...batches.values()],
        });
    }
    return left;
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
