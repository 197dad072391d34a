/**
 * Pauses between attempts: each twice the last, and by chance up to half shorter, so that clients
 * that a restart cut off at one moment do not come back at one moment.
 */
export class Backoff {
    #platform;
    #minMs;
    #maxMs;
    #nextMs;
    constructor(platform, { minMs = 200, maxMs = 15_000 } = {}) {
        this.#platform = platform;
        this.#minMs = minMs;
        this.#maxMs = maxMs;
        this.#nextMs = minMs;
    }
    /** The last attempt went well. */
    reset() {
        this.#nextMs = this.#minMs;
    }
    /** Waits, as long as the server asked for at least; sooner back when `signal` aborts. */
    async wait(signal, askedMs = 0) {
        const ms = this.#nextMs * (1 - this.#platform.random() / 2);
        this.#nextMs = Math.min(this.#nextMs * 2, this.#maxMs);
        await this.#platform.pause(Math.max(ms, askedMs), signal);
    }
}
