/** Server-sent events as the HTML standard reads them, a chunk's worth at a time. */

export interface ServerEvent {
  /** The last id as of this event; null before the first. */
  readonly id: string | null;
  readonly name: string;
  /** Null: the block brought an id and nothing else. */
  readonly data: string | null;
}

/** An event of which so much has come and no end is none of ours. */
const blockLengthMax = 64 * 1024 * 1024;

/**
 * Yields what each chunk of `body` completes: the events, perhaps none (a comment: the server is
 * there). Ends when the body ends, whose reading errors are thrown, or `signal` aborts; cancels it
 * when left early.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<readonly ServerEvent[], void> {
  const reader = body.getReader();
  // Not every body ends with its request's signal, such as one that passed through a binding.
  const cancel = () => void reader.cancel().catch(() => undefined);
  signal?.addEventListener("abort", cancel);
  const utf8 = new TextDecoder();
  const blocks = new BlockReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield blocks.take(utf8.decode(value, { stream: true }));
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    await reader.cancel().catch(() => undefined);
  }
}

class BlockReader {
  /** The line that has no end yet. */
  #rest = "";
  #endedInReturn = false;
  #id: string | null = null;
  #hasId = false;
  #name = "message";
  #data: string[] = [];
  #length = 0;

  take(text: string): readonly ServerEvent[] {
    const events: ServerEvent[] = [];
    let chunk = text;
    // CR and LF of one line's end may come in two chunks.
    if (this.#endedInReturn && chunk.startsWith("\n")) chunk = chunk.slice(1);
    if (text !== "") this.#endedInReturn = text.endsWith("\r");
    const lines = (this.#rest + chunk).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? "";
    if (this.#length + this.#rest.length > blockLengthMax) throw new Error("An event has no end");
    for (const line of lines) this.#line(line, events);
    return events;
  }

  #line(line: string, events: ServerEvent[]): void {
    if (line === "") {
      this.#end(events);
      return;
    }
    this.#length += line.length;
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#name = value;
    else if (field === "id") {
      this.#id = value;
      this.#hasId = true;
    }
  }

  #end(events: ServerEvent[]): void {
    const data = this.#data.length === 0 ? null : this.#data.join("\n");
    if (data !== null || this.#hasId) events.push({ id: this.#id, name: this.#name, data });
    this.#name = "message";
    this.#data = [];
    this.#hasId = false;
    this.#length = 0;
  }
}
