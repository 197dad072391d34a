/**
 * `POST /peer/groups/{method}`: answers, as the coordinator, what another worker was asked about a
 * group. It is answered or refused here and never passed on again.
 *
 * A join waits for as long as its group's members may take. So that neither a proxy nor the other
 * worker takes the silence for an end, a space goes out every few seconds in front of the answer.
 */
import type { Hono } from "hono";
import type { Timers } from "../../base/platform.ts";
import { isStreamError, StreamError } from "../../base/stream-error.ts";
import { checkShape } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { groupCalls, groupCallText, passedMethod } from "./group-call-shapes.ts";
import { receiveJson } from "./request-json.ts";

export const groupCallsPath = "/peer/groups";
/** Between signs of life, milliseconds. */
const signMs = 5_000;
/** So long a silence is an end, whatever the network says. */
export const silentMsMax = 4 * signMs;
/** Assignments of a group, the largest thing said, are at most 16 MiB in bytes. */
export const groupCallBytesMax = 24 * 1024 * 1024;

const utf8 = new TextEncoder();
const space = utf8.encode(" ");

/** Not among the routes of HTTP clients, whose description does not tell of it. */
export function mountGroupCalls(
  { app, endpoints }: { readonly app: Hono; readonly endpoints: Endpoints },
  context: HttpContext,
): void {
  const { groups, platform, shutdown } = context;
  const handle = endpoints.wrap(
    "groupCall",
    async (c) => {
      const method = checkShape(passedMethod, c.req.param("method"), "method");
      const { argument: shape } = groupCalls[method];
      const argument = await receiveJson(shape, c, context, groupCallBytesMax);
      const asked = groups[method] as (argument: unknown) => Promise<unknown>;
      const answer = answerText(unlessEnded(asked.call(groups, argument), shutdown));
      const headers = { "Content-Type": "application/json" };
      return new Response(await orSigns(answer, platform.timers), { headers });
    },
    "guarded",
  );
  app.post(`${groupCallsPath}/:method`, handle);
}

/** What nobody foresaw rejects, and is the frame's or breaks the answer off. */
async function answerText(asked: Promise<unknown>): Promise<string> {
  try {
    return groupCallText({ value: (await asked) ?? null });
  } catch (error) {
    if (!isStreamError(error)) throw error;
    const { code, message, details } = error;
    return groupCallText({ code, message, details });
  }
}

/** The worker must not wait for a group's members when it stops. */
function unlessEnded<T>(asked: Promise<T>, shutdown: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(new StreamError("shutting_down", "Cannot wait: this worker stops"));
    if (shutdown.aborted) end();
    shutdown.addEventListener("abort", end, { once: true });
    asked.then(resolve, reject).finally(() => shutdown.removeEventListener("abort", end));
  });
}

/** The answer if it is soon there, else a stream of spaces that ends with it. */
async function orSigns(
  answer: Promise<string>,
  timers: Timers,
): Promise<string | ReadableStream<Uint8Array>> {
  const answered = new AbortController();
  const soon = await Promise.race([answer, timers.sleep(signMs, answered.signal)]).finally(() =>
    answered.abort(),
  );
  if (soon !== undefined) return soon;
  let timer = timers.after(0, () => {});
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const sign = () => {
        controller.enqueue(space);
        timer = timers.after(signMs, sign);
      };
      sign();
      const end = (act: () => void) => {
        timer.cancel();
        act();
      };
      answer.then(
        (text) => {
          end(() => {
            controller.enqueue(utf8.encode(text));
            controller.close();
          });
        },
        (error: unknown) => end(() => controller.error(error)),
      );
    },
    cancel: () => timer.cancel(),
  });
}
