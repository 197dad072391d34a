import { type ErrorCode, StreamError } from "../../base/stream-error.ts";

/**
 * What is wrong with a message, while it travels up through the fields that contain the place. The
 * codec's entry points turn it into a StreamError; it never leaves this folder.
 */
export class WireFault extends Error {
  readonly code: ErrorCode;
  /** Where in the buffer, in bytes. */
  readonly position: number;
  #path = "";

  constructor(problem: string, position: number, code: ErrorCode = "invalid_request") {
    super(problem);
    this.name = "WireFault";
    this.code = code;
    this.position = position;
  }

  /** The fields from the message down to the place: `topicData[2].partitionData[0].records`. */
  get path(): string {
    return this.#path;
  }

  /** Puts the containing field (`name`) or element (`[3]`) before the path. */
  within(segment: string): this {
    const inner = this.#path;
    this.#path = inner === "" || inner.startsWith("[") ? segment + inner : `${segment}.${inner}`;
    return this;
  }

  /** The error that users see; `act` is `read ProduceRequest 9`. */
  toStreamError(act: string): StreamError {
    const { position, path } = this;
    const place = path === "" ? `at byte ${position}` : `at byte ${position}, ${path}`;
    return new StreamError(this.code, `Cannot ${act} ${place}: ${this.message}`, {
      details: { position, field: path },
      cause: this,
    });
  }
}

/** Adds `segment` to a fault's path; other errors pass unchanged. */
export function within(error: unknown, segment: string): unknown {
  return error instanceof WireFault ? error.within(segment) : error;
}
