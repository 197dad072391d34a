import type { Api, ApiShape } from "../../wire/kafka/api-table.ts";
import type { EncodedMessage } from "../../wire/kafka/codec.ts";
import type { Decoded } from "../../wire/kafka/field-table.ts";
import {
  decodeRequest,
  encodeResponseFrame,
  type RequestHeader,
} from "../../wire/kafka/request-header.ts";
import type { KafkaContext, Principal } from "./context.ts";
import type { SaslState } from "./sasl.ts";

/** One request as its handler sees it. */
export interface KafkaCall {
  readonly context: KafkaContext;
  readonly version: number;
  readonly clientId: string;
  /** As Kafka prints client hosts: `/127.0.0.1`. */
  readonly clientHost: string;
  readonly principal: Principal;
  readonly sasl: SaslState;
  /** Aborts when the peer is gone or the server stops: for long waits. */
  readonly signal: AbortSignal;
  /** The answer may have chunks that the log lent (LogService.lent). */
  readonly maySendLent: boolean;
  /** An overlapping handler says here that the next one may start. Idempotent. */
  submitted(): void;
  /** The request's bytes stay in use until `use` settles, though the answer may leave before. */
  lend(use: Promise<unknown>): void;
  /** Runs `callback` when the answer has left, or never will. */
  afterSent(callback: () => void): void;
  /**
   * Closes the connection: after the answer has left, or at once if there is none. Requests behind
   * this one do not start any more, unless they have already.
   */
  closeAfter(reason: string): void;
}

/** What a server does for one API. */
export interface KafkaHandler<Request, Response> {
  readonly api: Api<Request, Response>;
  /**
   * True: it may start while earlier requests of such handlers still run, as soon as they have said
   * `submitted`. Answers leave in order in any case.
   */
  readonly overlaps?: boolean;
  /**
   * Errors become error codes in the answer; what is thrown closes the connection. `undefined`: no
   * answer is sent. Bytes in `request` are views, the handler's until the answer is sent.
   */
  handle(request: Decoded<Request>, call: KafkaCall): Promise<Response | undefined>;
}

/** A handler whose message types only its own closure knows. */
export interface ServedApi {
  readonly api: ApiShape;
  readonly overlaps: boolean;
  /**
   * Starts at once, before it returns. Throws StreamError `invalid_request` for malformed bytes.
   */
  serve(request: ReceivedRequest, call: KafkaCall): Promise<EncodedMessage | undefined>;
}

export interface ReceivedRequest {
  readonly frame: Uint8Array;
  readonly header: RequestHeader;
  /** For how long it waited for room; the client hears of it. */
  readonly throttleTimeMs: number;
}

export function servedApi<Request, Response extends object>(
  handler: KafkaHandler<Request, Response>,
): ServedApi {
  const { api } = handler;
  const hasThrottleTime = "throttleTimeMs" in api.response.fields;
  return {
    api,
    overlaps: handler.overlaps ?? false,
    async serve({ frame, header, throttleTimeMs }, call) {
      const request = decodeRequest(api, header, frame);
      const response = await handler.handle(request, call);
      if (response === undefined) return undefined;
      const throttled = throttleTimeMs > 0 && hasThrottleTime;
      const answer = throttled ? { ...response, throttleTimeMs } : response;
      return encodeResponseFrame(api, header, answer);
    },
  };
}
