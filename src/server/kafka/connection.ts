/**
 * One Kafka connection: frames are read and become requests, which request-pipeline.ts answers in
 * their order.
 *
 * Room is taken before a request is accepted, first of the connection, then of the server; while
 * there is none `duplex.incoming` is not pulled and TCP holds the client. The wait is told to the
 * client as throttle_time_ms. What is no Kafka request costs one log line and this connection.
 */
import type { ByteDuplex } from "../../base/byte-duplex.ts";
import type { TimerHandle } from "../../base/platform.ts";
import { type ErrorCode, isStreamError, StreamError } from "../../base/stream-error.ts";
import { apiVersionsApi } from "../../wire/kafka/api/api-versions.ts";
import { produceApi } from "../../wire/kafka/api/produce.ts";
import { FrameSplitter } from "../../wire/kafka/frame.ts";
import { decodeRequestHeader } from "../../wire/kafka/request-header.ts";
import { unsupportedApiVersions } from "./api-versions.ts";
import type { KafkaContext } from "./context.ts";
import type { KafkaCall, ReceivedRequest } from "./handler.ts";
import { kafkaHandlers } from "./handlers.ts";
import {
  connectionIdleMsMax,
  frameArrivalMsMax,
  requestsInFlightMax,
  reservedFrameBytesMin,
  throttleMsMax,
  unauthenticatedRequestBytesMax,
} from "./limits.ts";
import { RequestPipeline, type Task } from "./request-pipeline.ts";
import { RequestRoom } from "./request-room.ts";
import { allowedBeforeAuthentication, authenticateRaw, SaslState } from "./sasl.ts";

/**
 * Serves `duplex` until the peer closes it, it breaks, or `signal` aborts: then waits end early,
 * what was read is answered, and the connection is closed. Never rejects.
 */
export function serveKafkaConnection(
  duplex: ByteDuplex,
  context: KafkaContext,
  signal: AbortSignal,
): Promise<void> {
  return new KafkaConnection(duplex, context).run(signal);
}

class KafkaConnection {
  readonly #duplex: ByteDuplex;
  readonly #context: KafkaContext;
  readonly #splitter: FrameSplitter;
  readonly #sasl: SaslState;
  readonly #room: RequestRoom;
  readonly #clientHost: string;
  /** Ends long waits: the peer is gone or the server stops. */
  readonly #waits = new AbortController();
  readonly #pipeline: RequestPipeline;
  /** No answer can be written any more. */
  #gone = false;
  /** Nothing more is read. */
  #draining = false;
  /** Monotonic milliseconds of when something last came or left. */
  #activeAt: number;
  #idleTimer: TimerHandle | undefined;

  constructor(duplex: ByteDuplex, context: KafkaContext) {
    this.#duplex = duplex;
    this.#context = context;
    this.#splitter = new FrameSplitter({
      frameBytesMax: context.settings.requestBytesMax,
      buffersOnDemand: true,
      bufferFor: (length, head) =>
        isProduce(head) ? context.frameBuffers.take(length) : undefined,
      release: duplex.release && ((chunk) => duplex.release?.(chunk)),
    });
    this.#sasl = new SaslState(context.settings.token);
    this.#room = new RequestRoom(context);
    const colon = duplex.remoteAddress.lastIndexOf(":");
    const host = colon < 0 ? duplex.remoteAddress : duplex.remoteAddress.slice(0, colon);
    this.#clientHost = `/${host}`;
    this.#activeAt = context.platform.clock.monotonic();
    this.#pipeline = new RequestPipeline({
      context,
      duplex,
      connectionCall: () => ({
        context,
        clientHost: this.#clientHost,
        principal: this.#sasl.principal,
        sasl: this.#sasl,
        signal: this.#waits.signal,
        maySendLent: duplex.sendsLent === true,
      }),
      giveRoom: (frame) => this.#giveRoom(frame),
      onWritten: () => {
        this.#activeAt = context.platform.clock.monotonic();
      },
      close: (error, act) => this.#break(error, act),
      lose: (error) => this.#gonePeer(error),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { connections } = this.#context.metrics;
    connections.set(connections.value + 1);
    const drain = () => this.#drain();
    signal.addEventListener("abort", drain, { once: true });
    if (signal.aborted) drain();
    this.#watchIdleness(connectionIdleMsMax);
    try {
      await this.#read();
      if (!this.#gone && !this.#draining) this.#checkCleanEnd();
    } catch (error) {
      if (isStreamError(error)) this.#break(error);
      else this.#gonePeer(error);
    }
    this.#giveBuffer(this.#splitter.abandon());
    this.#draining = true;
    this.#waits.abort();
    while (!this.#gone && this.#pipeline.length > 0) await this.#pipeline.progress();
    this.#leave();
    signal.removeEventListener("abort", drain);
    connections.set(connections.value - 1);
  }

  async #read(): Promise<void> {
    if (this.#draining) return;
    for await (const chunk of this.#duplex.incoming) {
      this.#receive(chunk);
      if (!(await this.#acceptFrames()) || !(await this.#reserve())) return;
    }
  }

  #receive(chunk: Uint8Array): void {
    this.#context.metrics.receivedBytes.add(chunk.length);
    this.#activeAt = this.#context.platform.clock.monotonic();
    this.#splitter.push(chunk);
  }

  /**
   * Accepts what has come whole; false when nothing more is to be read. Ends before the next chunk
   * is waited for: an async function that waits still holds the frame that it waited with before.
   */
  async #acceptFrames(): Promise<boolean> {
    for (let frame = this.#splitter.next(); frame; frame = this.#splitter.next()) {
      const waitedMs = this.#room.useReservation() ?? (await this.#room.take(frame.length));
      await this.#turnToAccept();
      if (this.#gone || this.#draining) {
        this.#giveRoom(frame);
        return false;
      }
      this.#accept(frame, waitedMs);
    }
    return true;
  }

  /**
   * Closes the connection when nothing came and no answer left for `connectionIdleMsMax`: its
   * client has forgotten it, or does not read. A request that is still worked on is no idleness.
   */
  #watchIdleness(delayMs: number): void {
    const { clock, timers } = this.#context.platform;
    this.#idleTimer = timers.after(delayMs, () => {
      if (this.#pipeline.isBusy) this.#activeAt = clock.monotonic();
      const leftMs = this.#activeAt + connectionIdleMsMax - clock.monotonic();
      if (leftMs > 0) this.#watchIdleness(leftMs);
      else this.#gonePeer(`nothing came or left for ${connectionIdleMsMax / 1000} s`);
    });
  }

  /**
   * Waits for a slot; before authentication for all earlier answers, since they change the rules.
   */
  async #turnToAccept(): Promise<void> {
    while (!this.#gone && !this.#draining) {
      const countMax = this.#sasl.authenticated ? requestsInFlightMax : 1;
      if (this.#pipeline.length < countMax) return;
      await this.#pipeline.progress();
    }
  }

  /** A large frame takes its room when its length is known, else many halves would add up. */
  async #reserve(): Promise<boolean> {
    const { awaitedBytes, unfinishedBytes } = this.#splitter;
    if (awaitedBytes === 0 || this.#room.isReserved) return true;
    const bytes = awaitedBytes + unfinishedBytes - lengthFieldBytes;
    this.#refuseLargeBeforeAuthentication(bytes);
    if (bytes < reservedFrameBytesMin) return true;
    await this.#room.reserve(bytes, () => {
      const seconds = frameArrivalMsMax / 1000;
      this.#break(fault(`its request of ${bytes} bytes did not arrive in ${seconds} s`));
    });
    if (!this.#gone && !this.#draining) {
      this.#splitter.mayBuffer();
      this.#duplex.expect?.(awaitedBytes);
      return true;
    }
    this.#room.dropReservation();
    return false;
  }

  #refuseLargeBeforeAuthentication(bytes: number): void {
    if (this.#sasl.authenticated || bytes <= unauthenticatedRequestBytesMax) return;
    throw fault(`it sent a request of ${bytes} bytes before authentication`, "unauthenticated");
  }

  #accept(frame: Uint8Array, waitedMs: number): void {
    let task: Task;
    try {
      this.#refuseLargeBeforeAuthentication(frame.length);
      task = this.#taskOf(frame, Math.min(waitedMs, throttleMsMax));
    } catch (error) {
      this.#giveRoom(frame);
      throw error;
    }
    this.#pipeline.add(task, frame);
  }

  /** Nothing reads the frame any more. */
  #giveRoom(frame: Uint8Array): void {
    this.#room.give(frame.length);
    this.#giveBuffer(frame);
  }

  #giveBuffer(frame: Uint8Array | undefined): void {
    if (frame !== undefined) this.#context.frameBuffers.give(frame);
  }

  #taskOf(frame: Uint8Array, throttleTimeMs: number): Task {
    const sasl = this.#sasl;
    if (sasl.step === "rawToken") {
      const run = async (call: KafkaCall) => authenticateRaw(sasl, frame, call.closeAfter);
      return { ...namelessTask, name: "SASL token", run };
    }
    const header = decodeRequestHeader(frame);
    const { apiKey, apiVersion: version, clientId } = header;
    const served = kafkaHandlers.get(apiKey);
    if (served === undefined) throw fault(`API key ${apiKey} is not served`, "unsupported_version");
    const { name, versions } = served.api;
    if (!sasl.authenticated && !allowedBeforeAuthentication(apiKey, sasl)) {
      throw fault(`${name} came before authentication`, "unauthenticated");
    }
    const task = { name, overlaps: served.overlaps, version, clientId, served };
    if (version < versions.min || version > versions.max) {
      if (apiKey !== apiVersionsApi.key) {
        throw fault(`${name} ${version} is not served`, "unsupported_version");
      }
      return { ...task, run: async () => unsupportedApiVersions(header) };
    }
    const request: ReceivedRequest = { frame, header, throttleTimeMs };
    return { ...task, run: (call) => served.serve(request, call) };
  }

  /** The server stops: what was read is answered, then the connection is closed. */
  #drain(): void {
    this.#draining = true;
    this.#waits.abort();
    this.#pipeline.wake();
    void this.#closeWhenAnswered();
  }

  async #closeWhenAnswered(): Promise<void> {
    while (!this.#gone && this.#pipeline.length > 0) await this.#pipeline.progress();
    this.#leave();
  }

  #checkCleanEnd(): void {
    const { unfinishedBytes } = this.#splitter;
    if (unfinishedBytes === 0) return;
    this.#break(fault(`it ended within a request, after ${unfinishedBytes} bytes of it`));
  }

  /** Closes at once because of what the peer sent, or of a fault of ours, with one log line. */
  #break(error: unknown, act?: string): void {
    if (this.#gone) return;
    const reason = error instanceof Error ? error.message : String(error);
    const { platform, metrics } = this.#context;
    const fields = { peer: this.#duplex.remoteAddress, ...(act === undefined ? {} : { api: act }) };
    if (act !== undefined && !isStreamError(error)) {
      platform.log.error(`Closed a Kafka connection: ${reason}`, { ...fields, error });
    } else {
      platform.log.warn(`Closed a Kafka connection: ${reason}`, fields);
    }
    metrics.brokenConnections.add();
    this.#leave();
  }

  #gonePeer(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#context.platform.log.debug(`A Kafka connection broke: ${reason}`, {
      peer: this.#duplex.remoteAddress,
    });
    this.#leave();
  }

  /** Idempotent. */
  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#idleTimer?.cancel();
    this.#waits.abort();
    this.#room.dropReservation();
    this.#pipeline.end();
    this.#duplex.close();
    this.#pipeline.wake();
  }
}

function fault(reason: string, code: ErrorCode = "invalid_request"): StreamError {
  return new StreamError(code, reason);
}

/**
 * Whether a frame that begins so is a Produce request: of those nothing is kept once their appends
 * have settled. Other requests are small, or hold bytes that groups keep.
 */
function isProduce(head: Uint8Array): boolean {
  return head.length >= 2 && ((head[0] ?? 0) << 8) + (head[1] ?? 0) === produceApi.key;
}

/** Of a frame; the splitter counts it as received. */
const lengthFieldBytes = 4;

const namelessTask = { overlaps: false, version: 0, clientId: null, served: undefined } as const;
