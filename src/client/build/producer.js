import { Lane, newBatch, } from "./lane.js";
import { asMillraceError, MillraceError, unsaved } from "./millrace-error.js";
import { page } from "./platform.js";
import { recordText } from "./record-text.js";
/** Browsers take 65 536 bytes of all beacons on their way together. */
const beaconBytesMax = 60_000;
export class Producer {
    topic;
    #connection;
    #options;
    #stop = new AbortController();
    /** Those left behind, then our own. */
    #lanes = [];
    #opening;
    /** Records given before the queue on disk was open. */
    #early = [];
    #own;
    #pumping;
    #hurry = new AbortController();
    #bytes = 0;
    constructor(connection, topic, options) {
        this.topic = topic;
        this.#connection = connection;
        this.#options = options;
        this.#opening = this.#open();
        // Whoever waits hears of it: send, flush and saved all look at `#opening`.
        this.#opening.catch(() => undefined);
        options.signal?.addEventListener("abort", this.#abort);
        if (options.signal?.aborted === true)
            this.#abort();
        page.addEventListener?.("pagehide", this.#onPageHide);
        page.addEventListener?.("visibilitychange", this.#onVisibility);
    }
    /** Records that are not known to be appended. */
    get waiting() {
        const batches = this.#lanes.flatMap((lane) => lane.batches);
        return batches.reduce((sum, { texts }) => sum + texts.length, this.#early.length);
    }
    /**
     * Resolves when the record is appended, with where the records of its request went. Need not be
     * awaited: records keep their order.
     * @throws MillraceError when it is refused; `timed_out` when nobody knows what became of it; the
     * reason of `signal` when that aborts.
     */
    async send(value, { signal, ...fields } = {}) {
        const text = recordText(value, fields, this.#connection.platform.now());
        signal?.throwIfAborted();
        this.#stop.signal.throwIfAborted();
        const { queueBytesMax = 16_777_216, batchBytesMax = 262_144 } = this.#options;
        if (this.#bytes + text.length > queueBytesMax) {
            throw new MillraceError("queue_full", `Cannot take the record: ${this.waiting} wait to be sent to "${this.topic}"`, { retriable: true });
        }
        this.#bytes += text.length;
        let leave;
        return await new Promise((resolve, reject) => {
            const waiter = { resolve, reject };
            const add = () => {
                if (signal?.aborted)
                    this.#bytes -= text.length;
                else
                    this.#add(text, waiter, batchBytesMax);
            };
            leave = () => {
                this.#own?.takeBack(waiter);
                reject(signal?.reason);
            };
            signal?.addEventListener("abort", leave);
            if (this.#own !== undefined)
                return add();
            this.#early.push(add);
            this.#opening.catch(reject);
        }).finally(() => leave && signal?.removeEventListener("abort", leave));
    }
    /**
     * Resolves when what was sent so far is on disk, or its fate known; without a queue at once.
     * @throws MillraceError `unsaved` when the disk has no room for some of it.
     */
    async saved() {
        await this.#opening;
        await Promise.all(this.#own?.batches.flatMap(({ saves }) => saves) ?? []);
    }
    /**
     * Sends what waits now; resolves when the fate of all of it is known. `signal` ends the waiting
     * alone: what waits is sent all the same.
     */
    async flush(signal) {
        await this.#opening;
        signal?.throwIfAborted();
        this.#stop.signal.throwIfAborted();
        this.#hurry.abort();
        const last = this.#lanes.flatMap((lane) => lane.batches).at(-1);
        if (last === undefined)
            return;
        await new Promise((resolve, reject) => {
            signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
            last.ends.push({ resolve: () => resolve(), reject });
        });
    }
    /**
     * Sends what waits, then stops. With a queue on disk it leaves there what it cannot send.
     * @throws MillraceError `unsaved`, stopped all the same, when some of it is not on disk.
     */
    async close() {
        try {
            if (this.#stop.signal.aborted)
                return;
            await (this.#options.queue === undefined ? this.flush() : this.saved());
        }
        finally {
            this.#abort();
            await this.#pumping;
        }
    }
    async #open() {
        const { queue, producerId } = this.#options;
        const id = queue === undefined && producerId ? producerId : this.#connection.platform.id();
        const later = (left) => this.#takeOver(left);
        const opened = await queue?.open(this.topic, id, later).catch((error) => {
            throw unsaved(error);
        });
        for (const { place, store, batches } of opened?.left ?? []) {
            this.#lanes.push(this.#lane(place, store, batches));
        }
        const place = { producerId: id, producerEpoch: 0, base: 0 };
        this.#own = this.#lane(place, opened?.own);
        this.#lanes.push(this.#own);
        for (const add of this.#early.splice(0))
            add();
        this.#pump();
    }
    #takeOver({ place, store, batches }) {
        if (this.#stop.signal.aborted)
            return;
        // Our own stays the last.
        this.#lanes.splice(-1, 0, this.#lane(place, store, batches));
        this.#pump();
    }
    #lane(place, store, batches = []) {
        const now = this.#connection.platform.now();
        return new Lane({
            connection: this.#connection,
            topic: this.topic,
            place,
            store,
            batches: batches.map(({ number, done, texts }) => ({
                ...newBatch(number, now, texts),
                ...{ done, isSealed: true },
            })),
            retryForMs: store === undefined ? (this.#options.retryForMs ?? 120_000) : Infinity,
            signal: this.#stop.signal,
            onTrouble: (error) => this.#trouble(error),
            onSettled: (bytes) => {
                this.#bytes -= bytes;
            },
        });
    }
    #add(text, waiter, batchBytesMax) {
        const { signal } = this.#stop;
        if (signal.aborted) {
            waiter.reject(signal.reason);
            return;
        }
        const fits = ({ bytes }) => bytes + text.length <= batchBytesMax;
        this.#own?.add(text, waiter, fits)?.catch((error) => this.#trouble(error));
        const last = this.#own?.batches.at(-1);
        if (last !== undefined && last.bytes >= batchBytesMax)
            this.#hurry.abort();
        this.#pump();
    }
    #trouble(error) {
        this.#options.onTrouble?.(asMillraceError(error));
    }
    #pump() {
        this.#pumping ??= this.#deliver().finally(() => {
            this.#pumping = undefined;
            if (!this.#stop.signal.aborted && this.waiting > 0)
                this.#pump();
        });
    }
    async #deliver() {
        const { signal } = this.#stop;
        while (!signal.aborted) {
            const [lane] = this.#lanes;
            if (lane === undefined)
                return;
            const [batch] = lane.batches;
            if (batch === undefined) {
                if (lane === this.#own)
                    return;
                await lane.forget();
                this.#lanes.shift();
                continue;
            }
            if (!batch.isSealed)
                await this.#linger(batch.bornAt);
            await lane.deliverFirst();
        }
    }
    async #linger(bornAt) {
        const { lingerMs = 10 } = this.#options;
        const { now, sleep } = this.#connection.platform;
        const restMs = bornAt + lingerMs - now();
        if (restMs > 0)
            await sleep(restMs, this.#hurry.signal);
        if (this.#hurry.signal.aborted)
            this.#hurry = new AbortController();
    }
    #abort = () => {
        if (this.#stop.signal.aborted)
            return;
        this.#stop.abort(closed());
        this.#hurry.abort();
        page.removeEventListener?.("pagehide", this.#onPageHide);
        page.removeEventListener?.("visibilitychange", this.#onVisibility);
        this.#options.signal?.removeEventListener("abort", this.#abort);
        for (const lane of this.#lanes) {
            for (const { waiters, ends } of lane.batches) {
                for (const { reject } of [...waiters, ...ends])
                    reject(closed());
            }
        }
    };
    /** A hidden page may be ended without another word: what waits goes now. */
    #onVisibility = () => {
        if (page.document?.visibilityState === "hidden")
            this.#hurry.abort();
    };
    /**
     * What was sent by beacon is not settled by it: if the page lives on, or comes back to its queue,
     * it is sent again from its place in the sequence, and the server knows it.
     *
     * Beacons overtake each other, and a server that does not know a producer takes any place for its
     * first: a batch that came before the one in front of it would make that one a repeat. So of a
     * lane on disk only the first batch goes, and the others wait for the next page. In memory, where
     * there is no next page, those behind the first go as producers of their own.
     */
    #onPageHide = () => {
        const { beacons = true } = this.#options;
        if (!beacons || page.navigator?.sendBeacon === undefined)
            return;
        let room = beaconBytesMax;
        for (const lane of this.#lanes) {
            for (const [index, batch] of lane.batches.entries()) {
                if (index > 0 && lane.isDurable)
                    break;
                batch.isSealed = true;
                if (index > 0)
                    batch.apart ??= { sequence: 0 };
                const { path, body } = lane.beacon(batch);
                const blob = new Blob([body], { type: "text/plain" });
                room -= blob.size;
                if (room < 0)
                    return;
                page.navigator.sendBeacon(this.#connection.url + this.#connection.signed(path), blob);
            }
        }
    };
}
function closed() {
    return new MillraceError("closed", "The producer is closed");
}
/** A producer of `topic`. One per topic and page is enough. */
export function producer(connection, topic, options = {}) {
    return new Producer(connection, topic, options);
}
const shared = new WeakMap();
/**
 * Appends one record; resolves when it is appended. Calls for one topic share a producer, so that
 * many at a time are few requests.
 */
export async function produce(connection, topic, value, options = {}) {
    const known = shared.get(connection) ?? new Map();
    shared.set(connection, known);
    const used = known.get(topic) ?? producer(connection, topic, { lingerMs: 0 });
    known.set(topic, used);
    return await used.send(value, options);
}
