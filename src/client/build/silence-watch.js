/** Says so when nothing was heard for too long. */
export class SilenceWatch {
    #link;
    #onSilence;
    #timer;
    constructor(link, onSilence) {
        this.#link = link;
        this.#onSilence = onSilence;
    }
    expectWithin(ms) {
        this.stop();
        const timer = new AbortController();
        this.#timer = timer;
        void this.#link.platform.sleep(ms, timer.signal).then(() => {
            if (!timer.signal.aborted)
                this.#onSilence(new Error(`Nothing was heard for ${ms} ms`));
        });
    }
    stop() {
        this.#timer?.abort();
    }
}
