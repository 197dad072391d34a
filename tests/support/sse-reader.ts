/** Reads server-sent events as the HTML standard says, one at a time. */
import { present } from "../../src/base/assert.ts";

export interface SseEvent {
  /** The last event id as of this event. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export class SseReader {
  readonly #reader: Pick<ReadableStreamDefaultReader<Uint8Array>, "read" | "cancel">;
  readonly #utf8 = new TextDecoder();
  #text = "";
  #id = "";

  constructor(response: Response) {
    this.#reader = present(response.body, "body").getReader();
  }

  /** The next chunk as it comes; undefined at the end. */
  async chunk(): Promise<string | undefined> {
    const { value } = await this.#reader.read();
    return value === undefined ? undefined : this.#utf8.decode(value, { stream: true });
  }

  /** The id that the stream opens with. */
  async firstId(): Promise<string> {
    while (this.#id === "") this.#dispatch(await this.#block());
    return this.#id;
  }

  async next(): Promise<SseEvent> {
    for (;;) {
      const event = this.#dispatch(await this.#block());
      if (event !== undefined) return event;
    }
  }

  async take(count: number): Promise<SseEvent[]> {
    const events: SseEvent[] = [];
    while (events.length < count) events.push(await this.next());
    return events;
  }

  /** Everything up to the end of the stream. */
  async rest(): Promise<string> {
    for (let chunk = await this.chunk(); chunk !== undefined; chunk = await this.chunk()) {
      this.#text += chunk;
    }
    return this.#text;
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }

  async #block(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end !== -1) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      this.#text += present(await this.chunk(), "further event");
    }
  }

  #dispatch(block: string): SseEvent | undefined {
    let event = "message";
    const data: string[] = [];
    for (const line of block.split(/\r\n|\r|\n/)) {
      const colon = line.indexOf(":");
      const field = colon === -1 ? line : line.slice(0, colon);
      const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "id") this.#id = value;
      else if (field === "event") event = value;
      else if (field === "data") data.push(value);
    }
    return data.length === 0 ? undefined : { id: this.#id, event, data: data.join("\n") };
  }
}
