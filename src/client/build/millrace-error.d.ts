/** What a server's problem document says, or that no answer came. */
/** An RFC 9457 problem document as servers write it; further members are facts by name. */
export interface ProblemJson {
    readonly status?: number;
    readonly detail?: string;
    readonly code?: string;
    readonly retriable?: boolean;
    readonly [fact: string]: unknown;
}
/** Codes that the client itself gives; all others are the server's (docs/HTTP.md). */
export type ClientErrorCode = 
/** No answer came: whether the request was carried out is not known. */
"network"
/** Not every runtime has what was asked for. */
 | "unsupported"
/** The answer is not one of a Millrace server. */
 | "bad_answer"
/** Records wait already as many bytes as may. */
 | "queue_full"
/** The device has no room for what waits: it goes with the page if it is not sent before. */
 | "unsaved"
/** The producer or the client was closed. */
 | "closed"
/** No answer came in the time that the caller gave; the records may have been appended. */
 | "timed_out";
export declare class MillraceError extends Error {
    readonly name = "MillraceError";
    readonly code: string;
    /** Of HTTP; 0 where there was no answer. */
    readonly status: number;
    /** The same request may succeed later. */
    readonly retriable: boolean;
    /** The problem document, or nothing. */
    readonly details: Readonly<Record<string, unknown>>;
    /** What `Retry-After` asked for. */
    readonly retryAfterMs: number | undefined;
    constructor(code: ClientErrorCode | (string & {}), message: string, options?: {
        readonly status?: number;
        readonly retriable?: boolean;
        readonly details?: Readonly<Record<string, unknown>>;
        readonly retryAfterMs?: number | undefined;
        readonly cause?: unknown;
    });
}
/** The error that an answer other than 2xx stands for. */
export declare function errorOfAnswer(answer: Response): Promise<MillraceError>;
/** The error that a problem stands for; `known` is what holds where it says nothing. */
export declare function errorOfProblem(problem: ProblemJson, known?: {
    readonly status?: number;
    readonly detail?: string;
    readonly retriable?: boolean;
    readonly retryAfterMs?: number | undefined;
}): MillraceError;
/** What a queue on disk threw, such as its `QuotaExceededError`. */
export declare function unsaved(cause: unknown): MillraceError;
/** Whatever was thrown, as an error that says whether another attempt makes sense. */
export declare function asMillraceError(error: unknown): MillraceError;
