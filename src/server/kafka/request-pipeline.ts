/**
 * The requests of one connection, from their acceptance until their answers have left, in order.
 *
 * Kafka runs one request of a connection at a time. So does this, save that a handler which
 * `overlaps` (Produce) may start as soon as the one before it has submitted its appends: several
 * batches are then on their way into one flush, in order. Any other handler starts when all earlier
 * answers have been written, so that a client that does not read gets one answer's memory, no more.
 */
import type { ByteDuplex } from "../../base/byte-duplex.ts";
import { StreamError } from "../../base/stream-error.ts";
import type { EncodedMessage } from "../../wire/kafka/codec.ts";
import type { KafkaContext } from "./context.ts";
import type { KafkaCall, ServedApi } from "./handler.ts";

/** What is to be done for one frame. */
export interface Task {
  readonly name: string;
  readonly overlaps: boolean;
  run(call: KafkaCall): Promise<EncodedMessage | undefined>;
  readonly version: number;
  readonly clientId: string | null;
  readonly served: ServedApi | undefined;
}

/** What a handler is told of its connection; the rest of its call is about the request's place. */
export type ConnectionCall = Pick<KafkaCall, "context" | "clientHost" | "sasl" | "signal"> &
  Pick<KafkaCall, "principal" | "maySendLent">;

export interface RequestPipelineParts {
  readonly context: KafkaContext;
  readonly duplex: ByteDuplex;
  /** As things stand when a handler starts: authentication changes them. */
  readonly connectionCall: () => ConnectionCall;
  /** A request's frame is in use no more. */
  readonly giveRoom: (frame: Uint8Array) => void;
  /** An answer has left, or was tried to. */
  readonly onWritten: () => void;
  /** Closes the connection because of what was asked (`act` undefined), or of a fault of ours. */
  readonly close: (error: unknown, act?: string) => void;
  /** The peer is gone. */
  readonly lose: (error: unknown) => void;
}

interface Slot {
  readonly task: Task;
  submitted: boolean;
  done: boolean;
  answer: EncodedMessage | undefined;
  closeReason: string | undefined;
  readonly afterSent: (() => void)[];
  readonly lent: Promise<unknown>[];
  readonly frame: Uint8Array;
}

export class RequestPipeline {
  readonly #parts: RequestPipelineParts;
  /** Accepted and not yet answered, in order; the first `#started` of them run or are done. */
  readonly #slots: Slot[] = [];
  #started = 0;
  #advancing = false;
  #sending = false;
  /** Of `#slots`, the first so many whose answers are being written. */
  #writing = 0;
  #ended = false;
  #onProgress: (() => void) | undefined;

  constructor(parts: RequestPipelineParts) {
    this.#parts = parts;
  }

  /** Requests that are not answered yet. */
  get length(): number {
    return this.#slots.length;
  }

  /** Whether a request is still worked on, or waits for its turn. */
  get isBusy(): boolean {
    return this.#slots.some(({ done }) => !done);
  }

  /** Takes the next request, for whose frame room was taken. */
  add(task: Task, frame: Uint8Array): void {
    this.#slots.push({
      task,
      submitted: !task.overlaps,
      done: false,
      answer: undefined,
      closeReason: undefined,
      afterSent: [],
      lent: [],
      frame,
    });
    this.#advance();
  }

  /** Resolves when an answer has left, room was given back, `wake` is called, or all has ended. */
  progress(): Promise<void> {
    return new Promise((resolve) => {
      this.#onProgress = () => {
        this.#onProgress = undefined;
        resolve();
      };
    });
  }

  /** Whoever waits for progress looks again. */
  wake(): void {
    this.#onProgress?.();
  }

  /** No answer can be written any more. What runs goes on and is dropped when it is done. */
  end(): void {
    this.#ended = true;
    // Those that run drop themselves when they are done, those being written when they have left.
    const waiting = this.#slots.splice(this.#started);
    for (const slot of waiting) this.#parts.giveRoom(slot.frame);
    this.#slots.splice(0, this.#writing);
    for (const slot of this.#slots.splice(0)) if (slot.done) this.#drop(slot);
    this.#started = 0;
  }

  /** Starts what may start, in order. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    for (let slot = this.#slots[this.#started]; slot !== undefined && !this.#ended; ) {
      const before = this.#slots[this.#started - 1];
      if (before !== undefined) {
        if (!slot.task.overlaps || !before.task.overlaps || !before.submitted) break;
        if (before.closeReason !== undefined) break;
      }
      this.#started += 1;
      void this.#perform(slot);
      slot = this.#slots[this.#started];
    }
    this.#advancing = false;
  }

  /** Runs the slot's handler, synchronously as far as it goes. Never rejects. */
  async #perform(slot: Slot): Promise<void> {
    const { clock } = this.#parts.context.platform;
    const since = clock.monotonic();
    try {
      slot.answer = await slot.task.run(this.#callOf(slot));
    } catch (error) {
      this.#parts.close(error, slot.task.name);
    }
    const { served } = slot.task;
    const metrics = served && this.#parts.context.metrics.api(served.api.key);
    metrics?.requests.add();
    metrics?.seconds.observe((clock.monotonic() - since) / 1000);
    slot.done = true;
    slot.submitted = true;
    this.#returnRoom(slot);
    if (this.#ended) this.#drop(slot);
    else if (this.#slots[0] === slot) this.#scheduleSend();
    else this.#advance();
  }

  #returnRoom(slot: Slot): void {
    const give = () => {
      this.#parts.giveRoom(slot.frame);
      this.#onProgress?.();
    };
    if (slot.lent.length === 0) give();
    else void Promise.allSettled(slot.lent).then(give);
  }

  #callOf(slot: Slot): KafkaCall {
    return {
      ...this.#parts.connectionCall(),
      version: slot.task.version,
      clientId: slot.task.clientId ?? "",
      submitted: () => {
        slot.submitted = true;
        this.#advance();
      },
      lend: (use) => void slot.lent.push(use),
      afterSent: (callback) => void slot.afterSent.push(callback),
      closeAfter: (reason) => {
        slot.closeReason ??= reason;
      },
    };
  }

  /**
   * Appends that one flush acknowledges resolve one after the other: one turn later all are there.
   */
  #scheduleSend(): void {
    if (this.#sending) return;
    this.#sending = true;
    queueMicrotask(() => void this.#send());
  }

  async #send(): Promise<void> {
    while (!this.#ended && this.#slots[0]?.done) {
      const ready = this.#readySlots();
      const chunks = ready.flatMap((slot) => slot.answer?.chunks ?? []);
      this.#writing = ready.length;
      try {
        if (chunks.length > 0) await this.#parts.duplex.write(chunks, this.#parts.context.log.lent);
      } catch (error) {
        this.#parts.lose(error);
      }
      this.#writing = 0;
      this.#parts.onWritten();
      if (this.#ended) {
        // Only now: until a write has ended, its bytes may still be on their way.
        for (const slot of ready) this.#drop(slot);
        break;
      }
      this.#slots.splice(0, ready.length);
      this.#started -= ready.length;
      for (const slot of ready) {
        this.#parts.context.metrics.sentBytes.add(slot.answer?.byteLength ?? 0);
        this.#drop(slot);
        if (slot.closeReason !== undefined)
          this.#parts.close(new StreamError("invalid_request", slot.closeReason));
      }
      this.#onProgress?.();
      this.#advance();
    }
    this.#sending = false;
    this.#onProgress?.();
  }

  /** The answers that may leave now, up to one that closes the connection. */
  #readySlots(): Slot[] {
    const ready: Slot[] = [];
    for (const slot of this.#slots) {
      if (!slot.done) break;
      ready.push(slot);
      if (slot.closeReason !== undefined) break;
    }
    return ready;
  }

  #drop(slot: Slot): void {
    slot.answer = undefined;
    for (const callback of slot.afterSent.splice(0)) callback();
  }
}
