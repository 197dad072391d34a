/**
 * Appends that come as values in place of requests: what a Durable Object is handed many of in one
 * call (ADR 45). To make a Request of each, route it, and read its Response would cost the object
 * more than the append does. Who may append, what is refused and how it is answered is as over
 * HTTP, since the frame of the route is around it.
 */
import type { Logger } from "../../base/log.ts";
import { jsonMediaType } from "../../wire/http/media-type.ts";
import type { Endpoints, Frame } from "./endpoint.ts";
import { answerOfError, type TextAnswer } from "./problem-response.ts";
import type { Producer } from "./produce.ts";
import type { HandedRequest } from "./request-head.ts";

/** The path of appends; names of topics have no character that URLs escape. */
const recordsPath = /^https?:\/\/[^/?#]+\/v1\/topics\/([^/?#%]+)\/records(?:[?#]|$)/;

/** The topic that a POST to this URL appends to; undefined: it is no URL of appends. */
export function topicOfAppend(url: string): string | undefined {
  return recordsPath.exec(url)?.[1];
}

/** Most answers have no headers but the first, which so costs no Headers. */
class Appended implements TextAnswer {
  readonly status = 200;
  readonly text: string;
  #headers: Headers | undefined;

  constructor(text: string) {
    this.text = text;
  }

  get headers(): Headers {
    this.#headers ??= new Headers({ "Content-Type": jsonMediaType });
    return this.#headers;
  }

  get isPlain(): boolean {
    return this.#headers === undefined;
  }
}

export class HandedAppends {
  readonly #producer: Producer;
  readonly #frame: Frame;
  readonly #log: Logger;

  constructor(producer: Producer, endpoints: Endpoints, log: Logger) {
    this.#producer = producer;
    this.#frame = endpoints.frameOf("produce");
    this.#log = log;
  }

  /** The bytes of the request are lent until it is answered. Never rejects. */
  async answer(request: HandedRequest): Promise<{
    readonly status: number;
    readonly headers: readonly [string, string][];
    readonly text: string;
  }> {
    const topic = topicOfAppend(request.url) ?? "";
    const answer = await this.#frame<TextAnswer>({
      ...{ request, topic },
      act: async (grant) =>
        new Appended(await this.#producer.append(request, { topicName: topic, grant })),
      refuse: (error) => answerOfError(error, this.#log),
    });
    const { status, text } = answer;
    return { status, headers: isPlain(answer) ? plainHeaders : [...answer.headers], text };
  }
}

const plainHeaders: readonly [string, string][] = [["Content-Type", jsonMediaType]];

function isPlain(answer: TextAnswer): boolean {
  return answer instanceof Appended && answer.isPlain;
}
