/**
 * One producer's sequence: batches in order, each sent until its fate is known, then the next. A
 * batch is fixed before it is sent for the first time and keeps its place in the sequence
 * (`Producer-Id`, `-Epoch`, `-Seq`), so that sending it again appends nothing twice.
 *
 * Batches are numbered from 0; a batch's sequence is its number less those that were refused,
 * which the server never counted. Where the server's count and ours part for good (it lost records
 * of ours, or we gave a batch up without knowing what became of it), the epoch is raised and the
 * count begins anew at 0: from then on the server takes nothing more of the older epoch.
 */
import { Backoff } from "./backoff.js";
import { asMillraceError, MillraceError } from "./millrace-error.js";
/** Repairs of the sequence per batch: more would mean that the server contradicts itself. */
const repairsMax = 3;
/** Refusals that a sign-in or a restored topic may undo: a queue on disk waits for that. */
const mayPass = new Set([401, 403, 404]);
export class Lane {
    #options;
    batches;
    #place;
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
        return this.#options.store?.add(batch.number, batch.texts.length - 1, text);
    }
    /** Sends the first batch until its fate is known; returns early only when the lane stops. */
    async deliverFirst() {
        const [batch] = this.batches;
        if (batch === undefined)
            return;
        batch.isSealed = true;
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
            const outcome = this.#outcome(batch, failure);
            if (outcome !== undefined)
                return await this.#settle(batch, outcome);
            onTrouble(failure);
            await backoff.wait(signal, failure.retryAfterMs);
        }
    }
    /** The request that a beacon can make of `batch`: no headers, so all stands in the URL. */
    beacon(batch) {
        const query = new URLSearchParams({ body: "json", ...this.#headersOf(batch) });
        return { path: `${this.#path}?${query}`, body: bodyOf(batch) };
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
            body: bodyOf(batch),
            signal,
        });
        return (await answer.json());
    }
    #headersOf({ number, isApart }) {
        const { producerId, producerEpoch, base } = this.#place;
        return {
            "Producer-Id": isApart ? `${producerId}.${number}` : producerId,
            "Producer-Epoch": String(isApart ? 0 : producerEpoch),
            "Producer-Seq": String(isApart ? 0 : number - base),
        };
    }
    /** What ends the batch; undefined: it is tried again. */
    #outcome(batch, failure) {
        const { retryForMs, connection } = this.#options;
        const canWait = failure.retriable || (this.isDurable && mayPass.has(failure.status));
        if (!canWait)
            return { error: failure, isAppended: "no" };
        if (connection.platform.now() - batch.bornAt < retryForMs)
            return undefined;
        const error = new MillraceError("timed_out", `Cannot say whether records were appended: ${retryForMs} ms went by. ${failure.message}`, { cause: failure });
        return { error, isAppended: "unknown" };
    }
    async #settle(batch, fate) {
        const { producerId, producerEpoch, base } = this.#place;
        if ("error" in fate && fate.isAppended === "unknown" && !batch.isApart) {
            const next = batch.number + 1;
            this.#place = { producerId, producerEpoch: producerEpoch + 1, base: next };
        }
        else if (batch.isApart || "error" in fate) {
            this.#place = { producerId, producerEpoch, base: base + 1 };
        }
        this.batches.shift();
        await this.#keep(batch.number);
        for (const { resolve, reject } of batch.waiters) {
            if ("error" in fate)
                reject(fate.error);
            else
                resolve(fate.sent);
        }
        this.#options.onSettled(batch);
    }
    async #beginEpoch(base) {
        const { producerId, producerEpoch } = this.#place;
        this.#place = { producerId, producerEpoch: producerEpoch + 1, base };
        await this.#keep(-1);
    }
    /** What the disk refuses to forget is sent once more by another page, and known to the server. */
    async #keep(settled) {
        try {
            await this.#options.store?.settle(settled, this.#place);
        }
        catch (error) {
            this.#options.onTrouble(asMillraceError(error));
        }
    }
}
export function newBatch(number, bornAt) {
    return {
        ...{ number, bornAt, texts: [], waiters: [], bytes: 0 },
        ...{ isSealed: false, isApart: false },
    };
}
function bodyOf({ texts }) {
    return `{"records":[${texts}]}`;
}
/** The server counts otherwise than we do. */
function isBroken({ code }) {
    return code === "sequence_out_of_order" || code === "producer_fenced";
}
