/** Turns what was thrown into the problem document that clients get. */
import type { Logger } from "../../base/log.ts";
import { StreamError } from "../../base/stream-error.ts";
import { type Problem, type ProblemCode, problemMediaType } from "../../wire/http/problem.ts";
import { statusByCode } from "./error-map.ts";

/** How long a client should wait where the same request may succeed later, in seconds. */
const retryAfterSeconds = 1;

const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  409: "Conflict",
  410: "Gone",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  426: "Upgrade Required",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  507: "Insufficient Storage",
};

export interface ProblemOptions {
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly retriable?: boolean;
  /** Further members. */
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer whose text is at hand, where a Response would have to be read. */
export interface TextAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export function problemResponse(options: ProblemOptions): Response {
  const { status, headers, text } = problemAnswer(options);
  return new Response(text, { status, headers });
}

function problemAnswer(options: ProblemOptions): TextAnswer {
  const { status } = options;
  const headers = new Headers({
    "Content-Type": problemMediaType,
    "Cache-Control": "no-store",
    ...options.headers,
  });
  if ((status === 429 || status === 503) && !headers.has("Retry-After")) {
    headers.set("Retry-After", String(retryAfterSeconds));
  }
  return { status, headers, text: `${JSON.stringify(problemOf(options))}\n` };
}

function problemOf({ status, code, detail, retriable = false, facts }: ProblemOptions): Problem {
  return { ...facts, title: titles[status] ?? "Error", status, detail, code, retriable };
}

/** An unexpected error is logged with all it has and told to the client as no more than that. */
export function responseOfError(error: unknown, log: Logger): Response {
  return problemResponse(optionsOfError(error, log));
}

/** The same where no Response is wanted. */
export function answerOfError(error: unknown, log: Logger): TextAnswer {
  return problemAnswer(optionsOfError(error, log));
}

/** The document alone, for an answer that had begun. */
export function problemOfError(error: unknown, log: Logger): Problem {
  return problemOf(optionsOfError(error, log));
}

function optionsOfError(error: unknown, log: Logger): ProblemOptions {
  if (!(error instanceof StreamError)) {
    log.error("HTTP request failed", { error });
    return {
      status: 500,
      code: "internal",
      detail: "The server failed in a way it did not expect; its log says more.",
    };
  }
  const status = statusByCode[error.code];
  if (status >= 500) log.warn("HTTP request failed", { code: error.code, detail: error.message });
  return {
    status,
    code: error.code,
    detail: error.message,
    retriable: error.retriable,
    facts: error.details,
    headers: headersOf(error),
  };
}

function headersOf(error: StreamError): Record<string, string> {
  if (error.code === "unauthenticated") return { "WWW-Authenticate": 'Bearer realm="millrace"' };
  const { retryAfterSeconds: seconds } = error.details;
  if (typeof seconds === "number") return { "Retry-After": String(seconds) };
  if (error.code === "unsupported_media_type") return { "Accept-Encoding": "gzip, zstd" };
  return {};
}

/** 406: the client takes none of what the route offers. */
export function notAcceptable(offered: readonly string[]): Response {
  const expected = offered.join(", ");
  return problemResponse({
    status: 406,
    code: "not_acceptable",
    detail: `Cannot answer in a type that the Accept header takes: there are ${expected}`,
    facts: { field: "Accept", expected },
  });
}
