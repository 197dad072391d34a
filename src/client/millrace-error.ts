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
  | "network"
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

export class MillraceError extends Error {
  override readonly name = "MillraceError";
  readonly code: string;
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number;
  /** The same request may succeed later. */
  readonly retriable: boolean;
  /** The problem document, or nothing. */
  readonly details: Readonly<Record<string, unknown>>;
  /** What `Retry-After` asked for. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ClientErrorCode | (string & {}),
    message: string,
    options: {
      readonly status?: number;
      readonly retriable?: boolean;
      readonly details?: Readonly<Record<string, unknown>>;
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 0;
    this.retriable = options.retriable ?? false;
    this.details = options.details ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The error that an answer other than 2xx stands for. */
export async function errorOfAnswer(answer: Response): Promise<MillraceError> {
  const { status } = answer;
  const text = await answer.text().catch(() => "");
  // Proxies answer so while what is behind them starts or is overwhelmed.
  const isTransient = status === 408 || status === 429 || status >= 500;
  const seconds = Number(answer.headers.get("Retry-After") ?? Number.NaN);
  const retryAfterMs = seconds >= 0 ? seconds * 1000 : undefined;
  let problem: ProblemJson = {};
  try {
    problem = JSON.parse(text) as ProblemJson;
  } catch {
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
export function errorOfProblem(
  problem: ProblemJson,
  known: {
    readonly status?: number;
    readonly detail?: string;
    readonly retriable?: boolean;
    readonly retryAfterMs?: number | undefined;
  } = {},
): MillraceError {
  const { code = "bad_answer", detail = known.detail ?? "The server gave no reason" } = problem;
  return new MillraceError(code, detail, {
    status: problem.status ?? known.status ?? 0,
    retriable: problem.retriable === true || known.retriable === true,
    retryAfterMs: known.retryAfterMs,
    details: problem,
  });
}

/** What a queue on disk threw, such as its `QuotaExceededError`. */
export function unsaved(cause: unknown): MillraceError {
  // A browser's error has a name and often no message.
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
  const message = `Cannot keep what waits on disk: ${reason}`;
  return new MillraceError("unsaved", message, { retriable: true, cause });
}

/** Whatever was thrown, as an error that says whether another attempt makes sense. */
export function asMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new MillraceError("network", `No answer came: ${reason}`, {
    retriable: true,
    cause: error,
  });
}
