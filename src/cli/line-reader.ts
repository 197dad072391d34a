/** Splits a byte stream into lines, as fast as it comes and never more than a bound ahead. */
import { joinedBytes } from "../base/joined-bytes.ts";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** What waits between reading and sending; beyond it the input is not read. */
const waitingBytesMax = 8 * 1024 * 1024;

export interface Line {
  /** Without its line feed, and without a carriage return before that. */
  readonly bytes: Uint8Array;
  /** Bytes of the input up to and including this line. */
  readonly inputBytes: number;
}

/** Groups the lines that have arrived: at most `lines` and about `bytes` of them. */
export interface BatchLimit {
  readonly lines: number;
  readonly bytes: number;
}

export class LineReader {
  readonly #waiting: Line[] = [];
  #waitingBytes = 0;
  #inputBytes = 0;
  #isEnded = false;
  #failure: unknown;
  #wakeReader: () => void = () => {};
  #wakeTaker: () => void = () => {};

  /** Starts reading `chunks`; their buffers are kept until their lines are taken. */
  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#read(chunks).then(
      () => this.#end(undefined),
      (error: unknown) => this.#end(error ?? new Error("The input broke")),
    );
  }

  /**
   * The next lines: whatever is there up to `limit`, at least one. Undefined at the end. A single
   * line above the limit is given alone. Throws what the input threw.
   */
  async take(limit: BatchLimit): Promise<readonly Line[] | undefined> {
    while (this.#waiting.length === 0 && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wakeTaker = resolve;
      });
    }
    if (this.#waiting.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      return undefined;
    }
    let count = 0;
    let bytes = 0;
    for (const line of this.#waiting) {
      bytes += line.bytes.length;
      if (count === limit.lines || (count > 0 && bytes > limit.bytes)) break;
      count += 1;
    }
    const taken = this.#waiting.splice(0, count);
    for (const line of taken) this.#waitingBytes -= line.bytes.length;
    this.#wakeReader();
    return taken;
  }

  async #read(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let rest: Uint8Array[] = [];
    for await (const chunk of chunks) {
      let start = 0;
      for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
        const part = chunk.subarray(start, end);
        this.#inputBytes += part.length + 1;
        this.#push(rest.length === 0 ? part : joinedBytes([...rest, part]));
        rest = [];
        start = end + 1;
      }
      if (start < chunk.length) {
        rest.push(chunk.subarray(start));
        this.#inputBytes += chunk.length - start;
      }
      this.#wakeTaker();
      while (this.#waitingBytes > waitingBytesMax) {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
    }
    if (rest.length > 0) this.#push(joinedBytes(rest));
  }

  #push(line: Uint8Array): void {
    const bytes = line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
    this.#waiting.push({ bytes, inputBytes: this.#inputBytes });
    this.#waitingBytes += bytes.length;
  }

  #end(failure: unknown): void {
    this.#failure = failure;
    this.#isEnded = true;
    this.#wakeTaker();
  }
}
