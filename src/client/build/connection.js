import { asMillraceError, errorOfAnswer } from "./millrace-error.js";
import { page, platform } from "./platform.js";
/** Where the server looks for a token of requests without headers. */
const tokenParameter = "token";
/** Any host does: a binding leads to one Worker. */
const bindingUrl = "https://millrace.internal";
/**
 * `place` is a server's URL (in a page also a path of its origin, such as "/"), or a service
 * binding of the user's own Worker. Nothing is sent yet.
 */
export function connect(place, options = {}) {
    const isUrl = typeof place === "string" || place instanceof URL;
    const base = isUrl ? new URL(place, page.location?.href).href : bindingUrl;
    const url = base.replace(/\/+$/, "");
    const { token, headers, timeoutMs = 30_000, backoff = {} } = options;
    const send = options.fetch ?? (isUrl ? (input, init) => fetch(input, init) : place.fetch.bind(place));
    // The last one that was asked for: a page that goes cannot wait for another.
    let lastToken = typeof token === "function" ? undefined : token;
    const currentToken = async () => {
        if (typeof token === "function")
            lastToken = await token();
        return lastToken;
    };
    async function request(path, init = {}) {
        const shown = await currentToken();
        // The clock stops when the head is there: what streams may take as long as it likes.
        const late = new AbortController();
        const clock = new AbortController();
        const { signal } = init;
        const signals = signal === undefined ? [late.signal] : [late.signal, signal];
        void used.sleep(timeoutMs, clock.signal).then(() => {
            if (!clock.signal.aborted)
                late.abort(new Error(`${timeoutMs} ms went by`));
        });
        try {
            const answer = await send(url + path, {
                method: init.method ?? "GET",
                headers: {
                    ...headers,
                    ...(shown !== undefined && { Authorization: `Bearer ${shown}` }),
                    ...init.headers,
                },
                ...(init.body !== undefined && { body: init.body }),
                signal: AbortSignal.any(signals),
            });
            if (answer.ok)
                return answer;
            throw await errorOfAnswer(answer);
        }
        catch (error) {
            signal?.throwIfAborted();
            throw asMillraceError(error);
        }
        finally {
            clock.abort();
        }
    }
    const used = options.platform ?? platform;
    function signed(path) {
        if (lastToken === undefined)
            return path;
        const start = path.includes("?") ? "&" : "?";
        return `${path}${start}${tokenParameter}=${encodeURIComponent(lastToken)}`;
    }
    return {
        ...{ url, platform: used, backoff, timeoutMs, hasSockets: isUrl },
        ...{ token: currentToken, signed, request },
    };
}
