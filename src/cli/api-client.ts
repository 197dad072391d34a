/**
 * Talks to a worker's HTTP interface on behalf of commands. Failures become CommandErrors that say
 * what to do next.
 */
import * as z from "zod";
import { oneOf, option, text } from "../runtime/node/option-kinds.ts";
import type { OptionTable } from "../runtime/node/options.ts";
import { CommandError } from "./command.ts";
import type { CliIo } from "./io.ts";

const urlSchema = z
  .string()
  .refine((given) => /^https?:\/\//.test(given) && URL.canParse(given))
  .transform((given) => given.replace(/\/+$/, ""));

/** Options of every command that talks to a worker. */
export const clientOptions = {
  url: option("URL", "a URL such as http://127.0.0.1:8080", urlSchema, {
    env: "MILLRACE_URL",
    fallback: "http://127.0.0.1:8080",
    doc: "the worker to talk to",
  }),
  token: text("TOKEN", { env: "MILLRACE_TOKEN", doc: "shared secret of the workers" }),
  output: oneOf(["text", "json"], {
    short: "o",
    fallback: "text",
    doc: "text for people, json for programs",
  }),
} as const satisfies OptionTable;

export interface ApiTarget {
  readonly url: string;
  readonly token: string | undefined;
}

export interface ApiRequest {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export const problemSchema = z.object({
  code: z.string(),
  title: z.string().optional(),
  detail: z.string().optional(),
  /** Of wrong SQL: the place, with a caret. */
  diagnostic: z.string().optional(),
});

/** What helps after an answer with this code. */
const adviceByCode: Readonly<Record<string, string>> = {
  topic_unknown:
    "See the topics with `streamctl topic list`, make one with `streamctl topic create NAME`",
  token_unknown: "See the tokens with `streamctl token list`",
  group_unknown: "See the groups with `streamctl group list`",
  group_not_empty: "Stop the group's consumers first",
  unauthenticated: "Give the workers' shared secret with --token or MILLRACE_TOKEN",
  topic_exists: "See it with `streamctl topic describe NAME`",
  queue_full: "The worker is overloaded: try again, or slow down with --rate",
};

export class ApiClient {
  readonly #target: ApiTarget;

  constructor(target: ApiTarget) {
    this.#target = target;
  }

  /** Sends a request and returns the answer's JSON as `schema` reads it. */
  async call<T>(
    schema: z.ZodType<T>,
    method: string,
    path: string,
    request: ApiRequest = {},
  ): Promise<T> {
    const response = await this.send(method, path, request);
    const body: unknown = await response.json().catch(() => undefined);
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new CommandError(
      "unexpected_answer",
      `Cannot read the answer of ${this.#target.url}${path}`,
      "Is this a Millrace worker, and of the same version as streamctl?",
    );
  }

  /**
   * Sends a request.
   * @throws CommandError for an answer that is no success and for one that never came; the reason
   * of `signal` when that aborts.
   */
  async send(method: string, path: string, request: ApiRequest = {}): Promise<Response> {
    const response = await this.#fetch(method, path, request);
    if (response.ok) return response;
    const problem = problemSchema.safeParse(await response.json().catch(() => undefined));
    if (problem.success) {
      throw commandError(problem.data);
    }
    throw new CommandError(
      "unexpected_answer",
      `${this.#target.url}${path} answered ${response.status} ${response.statusText}`,
      "Is this a Millrace worker? --url or MILLRACE_URL say which one is asked",
    );
  }

  async #fetch(method: string, path: string, request: ApiRequest): Promise<Response> {
    const { url, token } = this.#target;
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) query.set(name, String(value));
    }
    const headers = new Headers(request.headers);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    if (request.json !== undefined) headers.set("content-type", "application/json");
    const body = request.json === undefined ? request.body : JSON.stringify(request.json);
    const suffix = query.size === 0 ? "" : `?${query}`;
    try {
      return await fetch(`${url}${path}${suffix}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> | string }),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
    } catch (error) {
      request.signal?.throwIfAborted();
      throw unreachable(url, error);
    }
  }
}

/** What a problem document says, as commands fail with it. */
export function commandError(problem: z.infer<typeof problemSchema>): CommandError {
  const { code, title, detail, diagnostic } = problem;
  return new CommandError(code, diagnostic ?? detail ?? title ?? code, adviceByCode[code]);
}

/** The client for the worker that the options of a command name. */
export function apiClient(options: ApiTarget): ApiClient {
  return new ApiClient({ url: options.url, token: options.token });
}

/** Writes `value` as one JSON document for programs. */
export async function writeJson(io: CliIo, value: unknown): Promise<void> {
  await io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

const passingCodes: ReadonlySet<string> = new Set([
  "connection_refused",
  "unreachable",
  "queue_full",
  "shutting_down",
  "store_unavailable",
  "metadata_unavailable",
  "metadata_newer",
  "timed_out",
]);

/** Whether trying again may help: the connection broke, or the worker said so. */
export function isPassing(error: unknown): boolean {
  return error instanceof CommandError && passingCodes.has(error.code);
}

/** Whether nothing listens at the address. */
export function isRefused(error: unknown): boolean {
  return error instanceof CommandError && error.code === "connection_refused";
}

function unreachable(url: string, error: unknown): CommandError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ConnectionRefused" || code === "ECONNREFUSED") {
    return new CommandError(
      "connection_refused",
      `Cannot reach ${url}: nothing listens there`,
      "Start a worker with `streamctl server`, or name a running one with --url or MILLRACE_URL",
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new CommandError(
    "unreachable",
    `Cannot reach ${url}: ${reason}`,
    "Check the address given by --url or MILLRACE_URL",
  );
}
