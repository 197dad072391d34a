/**
 * One producer's sequence: batches in order, each sent until its fate is known, then the next. A
 * batch is fixed before it is sent for the first time and keeps its place in the sequence
 * (`Producer-Id`, `-Epoch`, `-Seq`), so that sending it again appends nothing twice.
 *
 * Batches are numbered from 0; a batch's sequence is its number less those that were refused, which
 * the server never counted. A batch that is refused goes in parts, half of it and half of that,
 * until only those records are refused that are at fault. Each part is a request with a sequence of
 * its own. How many records a request stood for its answer says, also when it is sent again with
 * more of them or fewer (ADR 80). Where the server's count and ours part for good (it lost records
 * of ours, or we gave a batch up without knowing what became of it), the epoch is raised and the
 * count begins anew at 0: from then on the server takes nothing more of the older epoch.
 */
import { Backoff } from "./backoff.js";
import { asMillraceError, MillraceError, unsaved } from "./millrace-error.js";
/** Repairs of the sequence per batch: more would mean that the server contradicts itself. */
const repairsMax = 3;
/** Refusals that a sign-in or a restored topic may undo: a queue on disk waits for that. */
const mayPass = new Set([401, 403, 404]);
export class Lane {
    #options;
    batches;
    #place;
    /** Records of the next request at most. */
    #partMax = Infinity;
    #nextNumber;
    constructor(options) {
        this.#options = options;
        this.#place = options.place;
        this.batches = [...(options.batches ?? [])];
        this.#nextNumber = (this.batches.at(-1)?.number ?? options.place.base - 1) + 1;
    }
    get isDurable() {
        return this.#options.store !== undefined;
    }
    /** Adds a record to the last batch, if it is open and `fits`, or to a new one. */
    add(text, waiter, fits) {
        let batch = this.batches.at(-1);
        if (batch === undefined || batch.isSealed || !fits(batch)) {
            if (batch !== undefined)
                batch.isSealed = true;
            const bornAt = this.#options.connection.platform.now();
            batch = newBatch(this.#nextNumber++, bornAt);
            this.batches.push(batch);
        }
        batch.texts.push(text);
        batch.waiters.push(waiter);
        batch.bytes += text.length;
        const { store } = this.#options;
        const saved = store?.add(batch.number, batch.texts.length - 1, text).catch((error) => {
            throw unsaved(error);
        });
        if (saved !== undefined)
            batch.saves.push(saved);
        return saved;
    }
    /** Takes a record back that has not begun to leave; what lies on disk stays. */
    takeBack(waiter) {
        if (this.isDurable)
            return;
        for (const batch of this.batches) {
            const index = batch.waiters.indexOf(waiter);
            if (index === -1 || batch.isSealed)
                continue;
            batch.waiters.splice(index, 1);
            const [{ length } = ""] = batch.texts.splice(index, 1);
            batch.bytes -= length;
            this.#options.onSettled(length);
        }
    }
    /** Sends the first batch, or its next part, until its fate is known or the lane stops. */
    async deliverFirst() {
        const [batch] = this.batches;
        if (batch === undefined)
            return;
        batch.isSealed = true;
        if (batch.texts.length === 0)
            return await this.#settle(batch, takenBack);
        const { signal, connection, onTrouble } = this.#options;
        const backoff = new Backoff(connection.platform, connection.backoff);
        let repairs = 0;
        while (!signal.aborted) {
            let failure;
            try {
                return await this.#settle(batch, { sent: await this.#send(batch) });
            }
            catch (error) {
                if (signal.aborted)
                    return;
                failure = asMillraceError(error);
            }
            // It was appended, longer ago than the server remembers where.
            if (failure.code === "sequence_duplicate") {
                return await this.#settle(batch, { sent: { offsets: [] } });
            }
            if (isBroken(failure) && repairs < repairsMax) {
                repairs += 1;
                await this.#beginEpoch(batch.number);
                continue;
            }
            const fate = this.#fateOf(batch, failure);
            const canNarrow = this.#partLength(batch) > 1;
            if (fate !== undefined && !(canNarrow && concernsRecords(failure))) {
                return await this.#settle(batch, fate);
            }
            if (canNarrow && (fate !== undefined || failure.code === "rate_exceeded")) {
                this.#partMax = this.#smallerPart(batch, failure);
            }
            if (fate !== undefined)
                continue;
            onTrouble(failure);
            await backoff.wait(signal, failure.retryAfterMs);
        }
    }
    /** The request that a beacon can make of `batch`: no headers, so all stands in the URL. */
    beacon(batch) {
        const query = new URLSearchParams({ body: "json", ...this.#headersOf(batch) });
        return { path: `${this.#path}?${query}`, body: this.#bodyOf(batch) };
    }
    async forget() {
        await this.#options.store?.forget();
    }
    get #path() {
        return `/v1/topics/${encodeURIComponent(this.#options.topic)}/records`;
    }
    async #send(batch) {
        const { connection, signal } = this.#options;
        const answer = await connection.request(this.#path, {
            method: "POST",
            headers: { "Content-Type": "application/json", ...this.#headersOf(batch) },
            body: this.#bodyOf(batch),
            signal,
        });
        return (await answer.json());
    }
    #bodyOf(batch) {
        return `{"records":[${batch.texts.slice(0, this.#partLength(batch))}]}`;
    }
    #headersOf({ number, apart }) {
        const { producerId, producerEpoch, base } = this.#place;
        return {
            "Producer-Id": apart ? `${producerId}.${number}` : producerId,
            "Producer-Epoch": String(apart ? 0 : producerEpoch),
            "Producer-Seq": String(apart ? apart.sequence : number - base),
        };
    }
    /** Records of the batch's next request. */
    #partLength({ texts }) {
        return Math.min(texts.length, this.#partMax);
    }
    /** What ends the request; undefined: it is made again. */
    #fateOf(batch, failure) {
        const { retryForMs, connection } = this.#options;
        const waits = this.isDurable && mayPass.has(failure.status) && !concernsRecords(failure);
        if (!failure.retriable && !waits)
            return { error: failure, isAppended: "no" };
        if (connection.platform.now() - batch.bornAt < retryForMs)
            return undefined;
        const error = new MillraceError("timed_out", `Cannot say whether records were appended: ${retryForMs} ms went by. ${failure.message}`, { cause: failure });
        return { error, isAppended: "unknown" };
    }
    /** So many records the next request may have, since this one had too many or bad ones. */
    #smallerPart(batch, { details }) {
        const half = Math.ceil(this.#partLength(batch) / 2);
        const told = Math.floor(Number(details["recordsMax"]));
        return told > 0 ? Math.min(told, half) : half;
    }
    async #settle(batch, fate) {
        const isUnknown = "error" in fate && fate.isAppended === "unknown";
        const length = isUnknown ? batch.texts.length : this.#settledLength(batch, fate);
        const isLast = length === batch.texts.length;
        this.#move(batch, { isUnknown, isLast, isSent: "sent" in fate });
        const waiters = batch.waiters.splice(0, length);
        batch.saves.splice(0, length);
        const texts = batch.texts.splice(0, length);
        batch.done += length;
        // What an earlier page has left is not counted.
        const bytes = texts.reduce((sum, text) => sum + text.length, 0);
        const counted = Math.min(batch.bytes, bytes);
        batch.bytes -= counted;
        if (isLast)
            this.batches.shift();
        await this.#keep(batch.number, isLast ? Infinity : batch.done, this.#place);
        for (const { resolve, reject } of waiters) {
            if ("error" in fate)
                reject(fate.error);
            else
                resolve(fate.sent);
        }
        if (isLast)
            for (const { resolve } of batch.ends)
                resolve({ offsets: [] });
        this.#options.onSettled(counted);
    }
    /** How many records the request stood for: of a repeat the first answer tells. */
    #settledLength(batch, fate) {
        const offsets = "sent" in fate ? fate.sent.offsets : [];
        const count = offsets.reduce((sum, each) => sum + each.count, 0);
        return count > 0 ? Math.min(count, batch.texts.length) : this.#partLength(batch);
    }
    /** Where the lane stands behind a request; of a batch's parts the last has the batch's number. */
    #move({ number, apart }, is) {
        const { producerId, producerEpoch, base } = this.#place;
        this.#partMax *= 2;
        if (apart !== undefined) {
            apart.sequence += Number(is.isSent);
            // It took none of our own sequence.
            this.#place = { producerId, producerEpoch, base: base + Number(is.isLast) };
        }
        else if (is.isUnknown) {
            this.#place = { producerId, producerEpoch: producerEpoch + 1, base: number + 1 };
        }
        else {
            const next = base + Number(is.isLast) - Number(is.isSent);
            this.#place = { producerId, producerEpoch, base: next };
        }
    }
    async #beginEpoch(base) {
        const { producerId, producerEpoch } = this.#place;
        this.#place = { producerId, producerEpoch: producerEpoch + 1, base };
        await this.#keep(base, 0, this.#place);
    }
    /** What the disk refuses to forget is sent once more by another page, and known to the server. */
    async #keep(batch, end, place) {
        try {
            await this.#options.store?.settle(batch, end, place);
        }
        catch (error) {
            this.#options.onTrouble(unsaved(error));
        }
    }
}
/** Of a batch of which nothing is left: the server never hears of it. */
const takenBack = { error: new MillraceError("closed", "Taken back"), isAppended: "no" };
export function newBatch(number, bornAt, texts = []) {
    return {
        ...{ number, bornAt, texts: [...texts], waiters: [], saves: [], ends: [] },
        ...{ bytes: 0, done: 0, isSealed: false },
    };
}
/** The server counts otherwise than we do. */
function isBroken({ code }) {
    return code === "sequence_out_of_order" || code === "producer_fenced";
}
/** Refusals that may be for the sake of some of the records, or for there being too many. */
function concernsRecords({ status, code }) {
    return status === 400 || status === 413 || code === "partition_unknown";
}
