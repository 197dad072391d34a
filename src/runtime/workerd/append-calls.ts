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
import type { HandedRequest } from "../../server/http/request-head.ts";
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

interface Waiting {
  readonly asked: AppendAsked;
  readonly body: Uint8Array;
  resolve(answer: AppendAnswer): void;
  reject(error: unknown): void;
  /** The object has done with it; called also when its client has gone. */
  done(): void;
}

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

  /** Whether the request may go together with others; its body is known to be small. */
  static takes({ method, url, headers }: Request): boolean {
    const length = headers.get("Content-Length");
    return (
      method === "POST" &&
      length !== null &&
      Number(length) <= bodyBytesMax &&
      topicOfAppend(url) !== undefined
    );
  }

  /** @throws what the call failed with, for all that were in it. */
  async ask(request: Request, way: Way): Promise<Response> {
    const body = new Uint8Array(await request.arrayBuffer());
    const asked = { url: request.url, headers: handed(request.headers), bytes: body.length };
    const { name, done } = way.place();
    const answer = await answered((settle) =>
      this.#add({ asked, body, done, ...settle }, { ...way, name }),
    );
    const { status, headers, text } = answer;
    return new Response(text, { status, headers: [...headers] });
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

/** Each context cancels its own timer: workerd lets no other touch it. */
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
  readonly #headers: AppendAsked["headers"];

  constructor(headers: AppendAsked["headers"]) {
    this.#headers = headers;
  }

  get(name: string): string | null {
    const lower = name.toLowerCase();
    for (const [each, value] of this.#headers) if (each === lower) return value;
    return null;
  }
}
