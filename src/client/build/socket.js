/**
 * Follows a topic over a WebSocket: the server sends what it was given credit for, and credit is
 * given as records are taken out of the loop: a slow reader holds some hundred records and no more.
 */
import { Backoff } from "./backoff.js";
import { recordOf, } from "./consumed-record.js";
import { hasEnded } from "./follow.js";
import { asMillraceError, errorOfProblem, MillraceError, } from "./millrace-error.js";
import { SilenceWatch } from "./silence-watch.js";
/** Records that may be on their way or wait to be taken. */
const window = 512;
const protocol = "millrace";
const silenceMsDefault = 40_000;
/** `query` says what is to be read, and from where unless there is a cursor. */
export async function* followSocket(link, { path, query }, options, start) {
    const { WebSocket } = globalThis;
    if (WebSocket === undefined || !link.hasSockets) {
        throw new MillraceError("unsupported", "Cannot open a WebSocket here: consume by events");
    }
    const { signal, parse } = options;
    const backoff = new Backoff(link.platform, link.backoff);
    let cursor = start;
    while (!hasEnded(signal)) {
        const place = cursor === undefined ? "" : `&cursor=${cursor}`;
        const token = await link.token();
        const url = `${link.url.replace(/^http/, "ws")}${path}/ws?${query}${place}`;
        const socket = new WebSocket(url, token === undefined ? [protocol] : [protocol, token]);
        const inbox = new Inbox(socket, link, options);
        try {
            let taken = 0;
            for await (const message of inbox.messages()) {
                if (message.event === "problem")
                    throw problemOf(message.data);
                if (message.event === "gap")
                    options.onGap?.(message.data);
                cursor = message.cursor ?? cursor;
                if (message.data === undefined)
                    continue;
                backoff.reset();
                if (message.event === undefined) {
                    yield recordOf(message.data, cursor ?? "", parse);
                }
                taken += 1;
                if (taken * 2 < window)
                    continue;
                inbox.give(taken);
                taken = 0;
            }
        }
        catch (error) {
            if (hasEnded(signal))
                return;
            let failure = asMillraceError(error);
            // Browsers do not tell why a socket did not open; an ordinary request does.
            if (failure.retriable && !inbox.wasOpen)
                failure = await reasonOf(link, path, failure, signal);
            if (hasEnded(signal))
                return;
            if (!failure.retriable)
                throw failure;
            options.onTrouble?.(failure);
            await backoff.wait(signal, failure.retryAfterMs);
        }
        finally {
            inbox.close();
        }
    }
}
async function reasonOf(link, path, failure, signal) {
    try {
        await link.request(`${path}/records?offset=latest&maxRecords=1`, { signal });
        return failure;
    }
    catch (error) {
        return asMillraceError(error);
    }
}
function problemOf(data) {
    const problem = data;
    return errorOfProblem(problem, { retriable: problem.retriable !== false });
}
/** A socket's messages as they are asked for; never more of them than there is credit. */
class Inbox {
    wasOpen = false;
    #socket;
    #signal;
    #watch;
    #silenceMs;
    #waiting = [];
    #isAsked = false;
    #end;
    #wake = () => undefined;
    constructor(socket, link, { signal, silenceMs = silenceMsDefault, onOpen }) {
        this.#socket = socket;
        this.#signal = signal;
        this.#silenceMs = silenceMs;
        this.#watch = new SilenceWatch(link, this.#silent);
        socket.onopen = () => {
            this.wasOpen = true;
            this.give(window);
            onOpen?.();
        };
        socket.onmessage = ({ data }) => {
            this.#isAsked = false;
            this.#watch.expectWithin(this.#silenceMs / 2);
            this.#waiting.push(JSON.parse(String(data)));
            this.#wake();
        };
        socket.onerror = () => this.#fail("the WebSocket failed");
        socket.onclose = ({ code, reason }) => this.#fail(`the WebSocket closed: ${code} ${reason}`);
        signal?.addEventListener("abort", this.#aborted);
        this.#watch.expectWithin(this.#silenceMs);
    }
    /** @throws MillraceError when the socket has closed and all messages are taken. */
    async *messages() {
        for (;;) {
            const message = this.#waiting.shift();
            if (message !== undefined) {
                yield message;
                continue;
            }
            if (hasEnded(this.#signal))
                return;
            if (this.#end !== undefined)
                throw this.#end;
            await new Promise((resolve) => {
                this.#wake = resolve;
            });
        }
    }
    give(credit) {
        if (this.#end === undefined)
            this.#socket.send(JSON.stringify({ credit }));
    }
    close() {
        this.#watch.stop();
        this.#signal?.removeEventListener("abort", this.#aborted);
        this.#fail("closed");
        this.#socket.close();
    }
    /** A server that sleeps says nothing by itself, so it is asked first whether it is there. */
    #silent = ({ message }) => {
        if (this.#isAsked || !this.wasOpen)
            this.#fail(message);
        else {
            this.#isAsked = true;
            this.#socket.send("{}");
            this.#watch.expectWithin(this.#silenceMs / 2);
        }
    };
    #aborted = () => this.close();
    #fail(reason) {
        this.#watch.stop();
        this.#end ??= new MillraceError("network", `The stream ended: ${reason}`, { retriable: true });
        this.#wake();
    }
}
