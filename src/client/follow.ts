/**
 * An event stream that is opened again whenever it breaks: what `consume` and `view` stand on. The
 * caller keeps the cursor and puts it into each request.
 */
import { Backoff } from "./backoff.ts";
import type { ClientRequest, ServerLink } from "./connection.ts";
import { readEvents, type ServerEvent } from "./event-stream.ts";
import {
  asMillraceError,
  errorOfProblem,
  MillraceError,
  type ProblemJson,
} from "./millrace-error.ts";
import { SilenceWatch } from "./silence-watch.ts";

export interface FollowOptions {
  /** Asked before each attempt. */
  readonly request: () => ClientRequest & { readonly path: string };
  readonly signal?: AbortSignal;
  readonly silenceMs?: number;
  readonly onOpen?: () => void;
  /**
   * An attempt failed, `isMute` when it was answered and not one byte followed. True: give up, and
   * end without an error.
   */
  readonly onTrouble: (error: MillraceError, isMute: boolean) => boolean;
}

/** Servers write a comment every 15 seconds. */
const silenceMsDefault = 40_000;
/** A stream's first event comes with its head. */
const firstEventMs = 10_000;

/**
 * Events by the chunk that completed them, over all connections. Ends when `signal` aborts, when
 * the server says `end`, and when `onTrouble` gives up.
 * @throws MillraceError for what another attempt does not mend.
 */
export async function* follow(
  connection: ServerLink,
  options: FollowOptions,
): AsyncGenerator<readonly ServerEvent[], void> {
  const { signal, silenceMs = silenceMsDefault } = options;
  const backoff = new Backoff(connection.platform, connection.backoff);
  while (!hasEnded(signal)) {
    let isMute = false;
    try {
      const { path, ...init } = options.request();
      // Ends the request also when the caller leaves its loop.
      const left = new AbortController();
      const signals = signal === undefined ? [left.signal] : [left.signal, signal];
      const ended = AbortSignal.any(signals);
      const watch = new SilenceWatch(connection, (reason) => left.abort(reason));
      try {
        const answer = await connection.request(path, { ...init, signal: ended });
        isMute = true;
        watch.expectWithin(Math.min(firstEventMs, silenceMs));
        if (answer.body === null) {
          throw new MillraceError("bad_answer", "The answer has no body", { retriable: true });
        }
        for await (const events of readEvents(answer.body, ended)) {
          if (isMute) options.onOpen?.();
          isMute = false;
          // While the caller is busy with these, silence says nothing.
          watch.stop();
          const end = events.findIndex(({ name }) => name === "end" || name === "problem");
          yield end === -1 ? events : events.slice(0, end);
          watch.expectWithin(silenceMs);
          if (events[end]?.name === "end") return;
          if (end !== -1) throw endOf(events[end]?.data ?? "{}");
          if (events.length > 0) backoff.reset();
        }
        ended.throwIfAborted();
        throw new MillraceError("network", "The stream ended", { retriable: true });
      } finally {
        watch.stop();
        left.abort();
      }
    } catch (error) {
      if (hasEnded(signal)) return;
      const failure = asMillraceError(error);
      if (!failure.retriable) throw failure;
      if (options.onTrouble(failure, isMute)) return;
      await backoff.wait(signal, failure.retryAfterMs);
    }
  }
}

/** A function, since a signal changes between two looks. */
export function hasEnded(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** Why the server ended the stream. Where it does not say otherwise, coming again tells more. */
function endOf(data: string): MillraceError {
  const problem = JSON.parse(data) as ProblemJson;
  return errorOfProblem(problem, { retriable: problem.retriable !== false });
}
