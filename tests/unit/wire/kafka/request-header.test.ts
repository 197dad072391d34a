import { describe, expect, test } from "bun:test";
import { present } from "../../../../src/base/assert.ts";
import { isStreamError } from "../../../../src/base/stream-error.ts";
import { apiVersionsApi } from "../../../../src/wire/kafka/api/api-versions.ts";
import { metadataApi } from "../../../../src/wire/kafka/api/metadata.ts";
import { produceApi } from "../../../../src/wire/kafka/api/produce.ts";
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequestFrame,
  encodeResponseFrame,
  responseCorrelationId,
} from "../../../../src/wire/kafka/request-header.ts";

/** The frame without its length, which is checked. */
function bodyOf(frame: { chunks: readonly Uint8Array[]; byteLength: number }): Uint8Array {
  const bytes = new Uint8Array(Buffer.concat(frame.chunks));
  expect(bytes.length).toBe(frame.byteLength);
  expect(new DataView(bytes.buffer).getInt32(0)).toBe(bytes.length - 4);
  return bytes.subarray(4);
}

const metadata = { topics: [{ name: "orders" }], includeTopicAuthorizedOperations: false };

describe("a request frame", () => {
  test("is read as it was written, in both header versions", () => {
    for (const apiVersion of [0, 8, 9, 13]) {
      for (const clientId of [null, "", "client-ü"]) {
        const envelope = { apiVersion, correlationId: -7, clientId };
        const frame = bodyOf(encodeRequestFrame(metadataApi, envelope, metadata));
        const header = decodeRequestHeader(frame);
        expect(header).toMatchObject({ apiKey: 3, ...envelope });
        expect(decodeRequest(metadataApi, header, frame).topics?.[0]?.name).toBe("orders");
      }
    }
  });

  test("keeps the old length before the client id in flexible versions", () => {
    const envelope = { apiVersion: 3, correlationId: 1, clientId: "ab" };
    const request = { clientSoftwareName: "n", clientSoftwareVersion: "v" };
    const frame = bodyOf(encodeRequestFrame(apiVersionsApi, envelope, request));
    expect([...frame]).toEqual([
      ...[0, 18, 0, 3, 0, 0, 0, 1, 0, 2, 0x61, 0x62, 0],
      ...[2, 0x6e, 2, 0x76, 0],
    ]);
  });

  test("may have unknown tags in its header", () => {
    const frame = Uint8Array.of(0, 18, 0, 3, 0, 0, 0, 1, 0xff, 0xff, 1, 9, 2, 5, 5, 1, 1, 0);
    const header = decodeRequestHeader(frame);
    expect([header.clientId, header.bodyPosition]).toEqual([null, 15]);
    expect(decodeRequest(apiVersionsApi, header, frame).clientSoftwareName).toBe("");
  });

  test("of a version or API that nobody knows still has a correlation id", () => {
    const newer = Uint8Array.of(0, 18, 0, 99, 0, 0, 0, 5, 0, 0, 0, 1, 2, 3);
    expect(decodeRequestHeader(newer)).toMatchObject({ apiVersion: 99, correlationId: 5 });
    const unknown = Uint8Array.of(0x7f, 0, 0, 0, 0, 0, 0, 6, 0, 0);
    expect(decodeRequestHeader(unknown)).toMatchObject({ apiKey: 0x7f00, correlationId: 6 });
  });

  test("cut within its header is refused", () => {
    const envelope = { apiVersion: 9, correlationId: 1, clientId: "abc" };
    const frame = bodyOf(encodeRequestFrame(metadataApi, envelope, metadata));
    const headerLength = decodeRequestHeader(frame).bodyPosition;
    for (let length = 0; length < headerLength; length++) {
      let caught: unknown;
      try {
        decodeRequestHeader(frame.subarray(0, length));
      } catch (error) {
        caught = error;
      }
      expect(isStreamError(caught, "invalid_request")).toBe(true);
    }
  });

  test("passes records through uncopied", () => {
    const records = new Uint8Array(4096);
    const topicData = [{ name: "t", partitionData: [{ index: 0, records }] }];
    const envelope = { apiVersion: 9, correlationId: 1, clientId: null };
    const request = { acks: -1, timeoutMs: 1, topicData };
    const { chunks } = encodeRequestFrame(produceApi, envelope, request);
    expect(present(chunks[1], "chunk")).toBe(records);
  });
});

describe("a response frame", () => {
  test("is read as it was written, in both header versions", () => {
    const response = { brokers: [], topics: [], errorCode: 0, clusterId: "c" };
    for (const apiVersion of [2, 8, 9, 13]) {
      const frame = bodyOf(
        encodeResponseFrame(metadataApi, { apiVersion, correlationId: 77 }, response),
      );
      expect(responseCorrelationId(frame)).toBe(77);
      expect(decodeResponse(metadataApi, apiVersion, frame).clusterId).toBe("c");
    }
  });

  test("of ApiVersions has no tags in its header in any version", () => {
    const response = { errorCode: 35, apiKeys: [] };
    for (const [apiVersion, length] of [
      [0, 10],
      [2, 14],
      [3, 12],
      [4, 12],
    ] as const) {
      const frame = bodyOf(
        encodeResponseFrame(apiVersionsApi, { apiVersion, correlationId: 1 }, response),
      );
      expect(frame.length).toBe(length);
      expect([...frame.subarray(4, 6)]).toEqual([0, 35]);
      expect(decodeResponse(apiVersionsApi, apiVersion, frame).errorCode).toBe(35);
    }
  });

  test("too short for its header is refused", () => {
    expect(() => responseCorrelationId(new Uint8Array(3))).toThrow("response of 3 bytes");
    expect(() => decodeResponse(metadataApi, 9, new Uint8Array(4))).toThrow("ResponseHeader");
  });
});
