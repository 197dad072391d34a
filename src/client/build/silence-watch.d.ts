import type { ServerLink } from "./connection.ts";
/** Says so when nothing was heard for too long. */
export declare class SilenceWatch {
    #private;
    constructor(link: ServerLink, onSilence: (reason: Error) => void);
    expectWithin(ms: number): void;
    stop(): void;
}
