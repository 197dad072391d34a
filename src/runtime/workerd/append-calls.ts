/**
 * Appends that reach an isolate of the front in the same moment go to their Durable Object in one
 * call: a call of its own for each would cost the object more than the append does (ADR 31). A
 * request waits for others one turn of the timers, about a millisecond.
 *
 * The first request of a call makes it and the others wait for its promise, which workerd lets them
 * while the first one's context lives; `later` keeps it alive when its client has gone. workerd
 * ends a request as hung that waits for nothing of its own, so each has a timer, which also
 * ends the wait for a call that nobody will ever answer.
 */
import { StreamError } from "../../base/stream-error.ts";
import { topicOfAppend } from "../../server/http/handed-appends.ts";
import type { HandedRequest, RequestHead } from "../../server/http/request-head.ts";
import { timers } from "../node/platform.ts";
import type { AppendAnswer, AppendAsked, LoadSaid, LogObjects } from "./bindings.ts";
import type { ObjectLoad } from "./object-load.ts";
import type { Placed } from "./shard-spread.ts";

/** A larger body is streamed through to its object. */
const bodyBytesMax = 65_536;
/** A call that is full leaves at once. */
const callRequestsMax = 256;
const callBytesMax = 1024 * 1024;

/** Between an append and the call that takes it along: what has arrived by then joins it. */
const gatherMs = 1;
/** Longer than an object waits for its store and its metadata before it gives an append up. */
const answerMsMax = 120_000;

/** What an append or its frame looks at; to hand over all that browsers send takes longer. */
const headersHanded = [
  ...["authorization", "content-type", "content-encoding", "host", "origin", "sec-fetch-site"],
  ...["producer-id", "producer-epoch", "producer-seq"],
];

/** A request that may go together with others, as far as an append is told of it. */
export interface AppendHead extends RequestHead {
  /** The path of its URL, as it stands. */
  readonly pathname: string;
  readonly headers: HandedHeaders;
}

interface Waiting {
  readonly asked: AppendAsked;
  readonly body: Uint8Array;
  resolve(answer: AppendAnswer): void;
  reject(error: unknown): void;
  /** The object has done with it; called also when its client has gone. */
  done(): void;
}

/** As topics are called; dots alone would be another path. */
const plainName = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/;

interface Call {
  readonly waiting: Waiting[];
  bytes: number;
}

export interface Way {
  readonly objects: LogObjects;
  /** Chooses the object. */
  readonly place: () => Placed;
  /** An object said how full it is. */
  readonly heard: (name: string, percent: number) => void;
  /** What goes on when the answer has left. */
  readonly later: (work: Promise<unknown>) => void;
}

type NamedWay = Omit<Way, "place"> & { readonly name: string };

export class AppendCalls {
  readonly #calls = new Map<string, Call>();

  /**
   * The head of a request that may go together with others, its body being known to be small; else
   * undefined. Each look at a Request's own fields leaves JavaScript, so they are taken once.
   */
  static headOf(request: Request): AppendHead | undefined {
    if (request.method !== "POST") return undefined;
    const { url, headers } = request;
    const topic = topicOfAppend(url);
    // Else the path may not be what it looks like.
    if (topic === undefined || !plainName.test(topic)) return undefined;
    const length = headers.get("Content-Length");
    if (length === null || !(Number(length) <= bodyBytesMax)) return undefined;
    const pathname = `/v1/topics/${topic}/records`;
    return { method: "POST", url, pathname, headers: new HandedHeaders(handed(headers)) };
  }

  /**
   * The answer to `request`, which has this head.
   * @throws what the call failed with, for all that were in it.
   */
  async ask(request: Request, { url, headers: given }: AppendHead, way: Way): Promise<Response> {
    const body = new Uint8Array(await request.arrayBuffer());
    const asked = { url, headers: given.entries, bytes: body.length };
    const { name, done } = way.place();
    const answer = await answered((settle) =>
      this.#add({ asked, body, done, ...settle }, { ...way, name }),
    );
    const { status, headers, text } = answer;
    return new Response(text, { status, headers: initOf(headers) });
  }

  #add(waiting: Waiting, way: NamedWay): void {
    let call = this.#calls.get(way.name);
    if (call === undefined) {
      const made: Call = { waiting: [], bytes: 0 };
      call = made;
      this.#calls.set(way.name, made);
      way.later(this.#sendSoon(made, way));
    }
    call.waiting.push(waiting);
    call.bytes += waiting.body.length;
    const isFull = call.waiting.length >= callRequestsMax || call.bytes >= callBytesMax;
    if (isFull) this.#calls.delete(way.name);
  }

  async #sendSoon(call: Call, way: NamedWay): Promise<void> {
    await new Promise<void>((resolve) => timers.after(gatherMs, resolve));
    if (this.#calls.get(way.name) === call) this.#calls.delete(way.name);
    const { waiting } = call;
    try {
      const bodies = new Uint8Array(call.bytes);
      let position = 0;
      for (const { body } of waiting) {
        bodies.set(body, position);
        position += body.length;
      }
      const asked = JSON.stringify(waiting.map((each) => each.asked));
      const text = await way.objects.getByName(way.name).appendAll(asked, bodies);
      const answers = JSON.parse(text) as (AppendAnswer | LoadSaid)[];
      const said = answers[waiting.length];
      if (said !== undefined && "percent" in said) way.heard(way.name, said.percent);
      waiting.forEach(({ resolve, reject }, index) => {
        const answer = answers[index];
        if (answer !== undefined && "status" in answer) resolve(answer);
        else reject(new Error("The object left an append unanswered"));
      });
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    } finally {
      for (const { done } of waiting) done();
    }
  }
}

/** A Response takes names of an object in a third of the time that pairs take it. */
function initOf(headers: AppendAnswer["headers"]): Record<string, string> | [string, string][] {
  const [first, second] = headers;
  if (first === undefined || second !== undefined) return headers as [string, string][];
  return { [first[0]]: first[1] };
}

/** Each context has a timer of its own and cancels it: workerd lets no other touch it. */
async function answered(
  start: (settle: Pick<Waiting, "resolve" | "reject">) => void,
): Promise<AppendAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<AppendAnswer>();
  const timer = timers.after(answerMsMax, () => reject(unanswered()));
  start({ resolve, reject });
  try {
    return await promise;
  } finally {
    timer.cancel();
  }
}

function unanswered(): StreamError {
  return new StreamError(
    "timed_out",
    `Cannot append: no answer came in ${answerMsMax / 1000} s; whether it was appended is unknown`,
  );
}

function handed(headers: Headers): [string, string][] {
  const found: [string, string][] = [];
  for (const name of headersHanded) {
    const value = headers.get(name);
    if (value !== null) found.push([name, value]);
  }
  return found;
}

/** The object's side: answers each as if it had come alone, and says behind them its `load`. */
export async function answerAll(
  answer: (request: HandedRequest) => Promise<AppendAnswer>,
  { asked, bodies }: { readonly asked: string; readonly bodies: Uint8Array },
  load?: ObjectLoad,
): Promise<string> {
  let position = 0;
  const answers = (JSON.parse(asked) as AppendAsked[]).map(({ url, headers, bytes }) => {
    const handedBody = bodies.subarray(position, position + bytes);
    position += bytes;
    return answer({ method: "POST", url, headers: new HandedHeaders(headers), handedBody });
  });
  if (load === undefined) return JSON.stringify(await Promise.all(answers));
  const over = load.took(answers.length, bodies.length);
  const said: LoadSaid = { percent: load.percent() };
  const all = await Promise.all(answers).finally(over);
  return JSON.stringify([...all, said]);
}

/** Few enough to be looked through; names are in small letters. */
class HandedHeaders {
  readonly entries: AppendAsked["headers"];

  constructor(entries: AppendAsked["headers"]) {
    this.entries = entries;
  }

  get(name: string): string | null {
    const lower = name.toLowerCase();
    for (const [each, value] of this.entries) if (each === lower) return value;
    return null;
  }
}
