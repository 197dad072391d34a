/** What a server's problem document says, or that no answer came. */
export class MillraceError extends Error {
    name = "MillraceError";
    code;
    /** Of HTTP; 0 where there was no answer. */
    status;
    /** The same request may succeed later. */
    retriable;
    /** The problem document, or nothing. */
    details;
    /** What `Retry-After` asked for. */
    retryAfterMs;
    constructor(code, message, options = {}) {
        super(message, { cause: options.cause });
        this.code = code;
        this.status = options.status ?? 0;
        this.retriable = options.retriable ?? false;
        this.details = options.details ?? {};
        this.retryAfterMs = options.retryAfterMs;
    }
}
/** The error that an answer other than 2xx stands for. */
export async function errorOfAnswer(answer) {
    const { status } = answer;
    const text = await answer.text().catch(() => "");
    // Proxies answer so while what is behind them starts or is overwhelmed.
    const isTransient = status === 408 || status === 429 || status >= 500;
    const seconds = Number(answer.headers.get("Retry-After") ?? Number.NaN);
    const retryAfterMs = seconds >= 0 ? seconds * 1000 : undefined;
    let problem = {};
    try {
        problem = JSON.parse(text);
    }
    catch {
        // Not one of ours: its text is all there is to say.
    }
    return errorOfProblem(problem, {
        status,
        retryAfterMs,
        retriable: isTransient,
        detail: `${status} ${text.slice(0, 200)}`,
    });
}
/** The error that a problem stands for; `known` is what holds where it says nothing. */
export function errorOfProblem(problem, known = {}) {
    const { code = "bad_answer", detail = known.detail ?? "The server gave no reason" } = problem;
    return new MillraceError(code, detail, {
        status: problem.status ?? known.status ?? 0,
        retriable: problem.retriable === true || known.retriable === true,
        retryAfterMs: known.retryAfterMs,
        details: problem,
    });
}
/** What a queue on disk threw, such as its `QuotaExceededError`. */
export function unsaved(cause) {
    // A browser's error has a name and often no message.
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    const message = `Cannot keep what waits on disk: ${reason}`;
    return new MillraceError("unsaved", message, { retriable: true, cause });
}
/** Whatever was thrown, as an error that says whether another attempt makes sense. */
export function asMillraceError(error) {
    if (error instanceof MillraceError)
        return error;
    const reason = error instanceof Error ? error.message : String(error);
    return new MillraceError("network", `No answer came: ${reason}`, {
        retriable: true,
        cause: error,
    });
}
