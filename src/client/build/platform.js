/** Timers of browsers hold 31 bits; a longer one would fire at once. */
const timerMsMax = 2 ** 31 - 1;
const idBytes = 12;
export const platform = {
    now: () => Date.now(),
    random: () => Math.random(),
    id: () => Array.from(crypto.getRandomValues(new Uint8Array(idBytes)), (byte) => byte.toString(36).padStart(2, "0")).join(""),
    sleep: (ms, signal) => wait(ms, signal, false),
    pause: (ms, signal) => wait(ms, signal, true),
};
function wait(ms, signal, endsOnline) {
    return new Promise((resolve) => {
        const done = () => {
            clearTimeout(timer);
            signal?.removeEventListener("abort", done);
            if (endsOnline)
                page.removeEventListener?.("online", done);
            resolve();
        };
        const timer = setTimeout(done, Math.min(ms, timerMsMax));
        signal?.addEventListener("abort", done);
        if (endsOnline)
            page.addEventListener?.("online", done);
        if (signal?.aborted === true)
            done();
    });
}
export const page = globalThis;
