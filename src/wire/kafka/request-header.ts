/**
 * The start of every request frame, after the length:
 *
 * | bytes | field | version |
 * |---|---|---|
 * | 2 | API key, int16 | 1 |
 * | 2 | API version, int16 | 1 |
 * | 4 | correlation id, int32 | 1 |
 * | 2 + n | client id, int16 length and UTF-8, null allowed; never compact | 1 |
 * | 1… | tagged section | 2 |
 *
 * Version 2 goes with the flexible versions of an API. (Version 0 without a client id belonged to
 * ControlledShutdown 0 alone.) A response starts with the correlation id (version 0) and, where the
 * response is flexible, a tagged section (version 1); ApiVersions always answers with version 0,
 * since its client does not know yet what the broker understands.
 */
import { StreamError } from "../../base/stream-error.ts";
import { kafkaApiByKey } from "./api-registry.ts";
import type { Api, ApiShape } from "./api-table.ts";
import { decodeMessage, type EncodedMessage, writeMessage } from "./codec.ts";
import type { Decoded } from "./field-table.ts";
import { WireFault } from "./wire-fault.ts";
import { WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

const apiVersionsKey = 18;

export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  /** Where in the frame the request itself begins. */
  readonly bodyPosition: number;
}

function isFlexible(message: ApiShape["request"], version: number): boolean {
  return message.flexibleSince !== undefined && version >= message.flexibleSince;
}

/** Version of the request header that goes with a version of an API: 1 or 2. */
export function requestHeaderVersion(api: ApiShape, apiVersion: number): 1 | 2 {
  return isFlexible(api.request, apiVersion) ? 2 : 1;
}

/** Version of the response header that goes with a version of an API: 0 or 1. */
export function responseHeaderVersion(api: ApiShape, apiVersion: number): 0 | 1 {
  return api.key !== apiVersionsKey && isFlexible(api.response, apiVersion) ? 1 : 0;
}

/**
 * Reads the header of a request frame (without its length). Neither key nor version need be known:
 * the caller decides what to answer. Of an unknown API the body's position is a guess.
 *
 * Throws StreamError invalid_request when the frame is too short or not a header.
 */
export function decodeRequestHeader(frame: Uint8Array): RequestHeader {
  const reader = new WireReader(frame, 0, 0x1_0000);
  try {
    const apiKey = reader.int16();
    const apiVersion = reader.int16();
    const correlationId = reader.int32();
    const clientIdLength = reader.stringLength(false);
    const clientId = clientIdLength < 0 ? null : reader.text(clientIdLength);
    const api = kafkaApiByKey.get(apiKey);
    if (api !== undefined && requestHeaderVersion(api, apiVersion) === 2) reader.skipTags();
    return { apiKey, apiVersion, correlationId, clientId, bodyPosition: reader.position };
  } catch (error) {
    if (error instanceof WireFault) throw error.toStreamError("read RequestHeader");
    throw error;
  }
}

/**
 * Reads the request of a frame whose header says that it is one of `api`. Bytes and records are
 * views into the frame. Errors as in decodeMessage.
 */
export function decodeRequest<Request, Response>(
  api: Api<Request, Response>,
  header: RequestHeader,
  frame: Uint8Array,
): Decoded<Request> {
  return decodeMessage(api.request, header.apiVersion, frame, { position: header.bodyPosition });
}

/** What a client says of a request beside the request. */
export interface RequestEnvelope {
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

/** A whole request frame, length included. Buffers as in encodeMessage. */
export function encodeRequestFrame<Request, Response>(
  api: Api<Request, Response>,
  envelope: RequestEnvelope,
  request: Request,
): EncodedMessage {
  const writer = new WireWriter();
  writer.int32(0);
  writer.int16(api.key);
  writer.int16(envelope.apiVersion);
  writer.int32(envelope.correlationId);
  writer.string(envelope.clientId, false);
  if (requestHeaderVersion(api, envelope.apiVersion) === 2) writer.uvarint(0);
  writeMessage(writer, api.request, envelope.apiVersion, request);
  return finishFrame(writer);
}

/** A whole response frame, length included. Buffers as in encodeMessage. */
export function encodeResponseFrame<Request, Response>(
  api: Api<Request, Response>,
  envelope: Omit<RequestEnvelope, "clientId">,
  response: Response,
): EncodedMessage {
  const writer = new WireWriter();
  writer.int32(0);
  writer.int32(envelope.correlationId);
  if (responseHeaderVersion(api, envelope.apiVersion) === 1) writer.uvarint(0);
  writeMessage(writer, api.response, envelope.apiVersion, response);
  return finishFrame(writer);
}

/** The correlation id of a response frame (without its length), by which its request is found. */
export function responseCorrelationId(frame: Uint8Array): number {
  if (frame.length < 4) {
    throw new StreamError("invalid_request", `Cannot read a response of ${frame.length} bytes`);
  }
  return new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getInt32(0);
}

/** Reads a response frame (without its length). Errors and views as in decodeMessage. */
export function decodeResponse<Request, Response>(
  api: Api<Request, Response>,
  apiVersion: number,
  frame: Uint8Array,
): Decoded<Response> {
  const reader = new WireReader(frame, 0, 0x1_0000);
  try {
    reader.int32();
    if (responseHeaderVersion(api, apiVersion) === 1) reader.skipTags();
  } catch (error) {
    if (error instanceof WireFault) throw error.toStreamError("read ResponseHeader");
    throw error;
  }
  return decodeMessage(api.response, apiVersion, frame, { position: reader.position });
}

const lengthBytes = 4;

function finishFrame(writer: WireWriter): EncodedMessage {
  const { byteLength } = writer;
  writer.patchInt32(0, byteLength - lengthBytes);
  return { chunks: writer.finish(), byteLength };
}
