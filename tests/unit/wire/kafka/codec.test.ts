import { describe, expect, test } from "bun:test";
import { isStreamError, type StreamError } from "../../../../src/base/stream-error.ts";
import { fetchRequest, fetchResponse } from "../../../../src/wire/kafka/api/fetch.ts";
import { metadataRequest } from "../../../../src/wire/kafka/api/metadata.ts";
import { produceRequest } from "../../../../src/wire/kafka/api/produce.ts";
import { decodeMessage, encodeMessage } from "../../../../src/wire/kafka/codec.ts";
import {
  arrayOf,
  bool,
  bytes,
  type Decoded,
  defineMessage,
  type FieldTable,
  float64,
  int8,
  int16,
  int32,
  int64,
  int64Max,
  type MessageTable,
  type RecordsPayload,
  records,
  string,
  struct,
  structs,
  uint16,
  uint32,
  uuid,
  zeroUuid,
} from "../../../../src/wire/kafka/field-table.ts";

interface Point {
  readonly x: number;
  readonly label?: string | null;
}

const point: FieldTable<Point> = {
  x: int32(),
  label: string({ since: 1, nullableSince: 1, default: null }),
};

interface Everything {
  readonly flag: boolean;
  readonly tiny: number;
  readonly small: number;
  readonly port: number;
  readonly medium: number;
  readonly count: number;
  readonly big: number;
  readonly ratio: number;
  readonly id: string;
  readonly name: string | null;
  readonly blob: Uint8Array | null;
  readonly batches: RecordsPayload | null;
  readonly numbers: readonly number[] | null;
  readonly points: readonly Point[];
  readonly origin: Point | null;
  readonly gone?: number;
  readonly note?: string;
  readonly extra?: readonly Point[];
}

/** Version 0: old layout; 1: flexible; 2: without `gone`. */
const everything = defineMessage<Everything>({
  name: "Everything",
  versions: { min: 0, max: 2 },
  flexibleSince: 1,
  fields: {
    flag: bool(),
    tiny: int8(),
    small: int16(),
    port: uint16(),
    medium: int32(),
    count: uint32(),
    big: int64(),
    ratio: float64(),
    id: uuid(),
    name: string({ nullableSince: 0 }),
    blob: bytes({ nullableSince: 0 }),
    batches: records({ nullableSince: 0 }),
    numbers: arrayOf(int32(), { nullableSince: 0 }),
    points: structs(point),
    origin: struct(point, { nullableSince: 0 }),
    gone: int32({ until: 1, default: 5 }),
    note: string({ since: 1, tag: 3, default: "none" }),
    extra: structs(point, { since: 1, tag: 0, ignorable: true }),
  },
});

/** `everything` at any distance from the start, between arrays of each one-byte kind. */
const grown = defineMessage<{
  readonly name: string;
  readonly flags: readonly boolean[];
  readonly inner: Everything;
  readonly after: readonly boolean[];
}>({
  name: "Grown",
  versions: { min: 1, max: 1 },
  flexibleSince: 1,
  fields: {
    name: string(),
    flags: arrayOf(bool()),
    inner: struct(everything.fields as FieldTable<Everything>),
    after: arrayOf(bool()),
  },
});

const flags = new Array<boolean>(40).fill(true);

const sample: Everything = {
  flag: true,
  tiny: -128,
  small: 0x7fff,
  port: 0xffff,
  medium: -0x8000_0000,
  count: 0xffff_ffff,
  big: -Number.MAX_SAFE_INTEGER,
  ratio: -0.1,
  id: "AQIDBAUGBwgJCgsMDQ4PEA",
  name: "größe 𝄞",
  blob: Uint8Array.of(1, 2, 3),
  batches: Uint8Array.of(9, 8),
  numbers: [1, -1],
  points: [{ x: 1 }, { x: 2 }],
  origin: { x: 0 },
};

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}

function encoded<T>(message: MessageTable<T>, version: number, value: T): Uint8Array {
  return joined(encodeMessage(message, version, value).chunks);
}

function roundTrip<T>(message: MessageTable<T>, version: number, value: T): Decoded<T> {
  return decodeMessage(message, version, encoded(message, version, value));
}

function thrownBy(act: () => unknown): StreamError {
  try {
    act();
  } catch (error) {
    if (isStreamError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function fieldOf(error: StreamError): unknown {
  const { field } = error.details;
  return field;
}

function positionOf(error: StreamError): number {
  const { position } = error.details;
  return Number(position);
}

describe("encodeMessage and decodeMessage", () => {
  test("keep every kind of value in both layouts", () => {
    const points = [
      { x: 1, label: null },
      { x: 2, label: null },
    ];
    const expected = { ...sample, points, origin: { x: 0, label: null }, note: "none", extra: [] };
    expect<unknown>(roundTrip(everything, 0, sample)).toEqual({ ...expected, gone: 5 });
    expect<unknown>(roundTrip(everything, 1, { ...sample, gone: 7 })).toEqual({
      ...expected,
      gone: 7,
    });
    expect<unknown>(roundTrip(everything, 2, sample)).toEqual({ ...expected, gone: 5 });
  });

  test("keep nulls and empty values apart", () => {
    const nothing = { name: null, blob: null, batches: null, numbers: null, origin: null };
    const empty = { name: "", blob: new Uint8Array(0), batches: new Uint8Array(0), numbers: [] };
    for (const version of [0, 1]) {
      expect(roundTrip(everything, version, { ...sample, ...nothing })).toMatchObject(nothing);
      expect(roundTrip(everything, version, { ...sample, ...empty })).toMatchObject(empty);
    }
  });

  test("write tagged fields only when set, in the order of their tags, sized over one byte", () => {
    const bare = encoded(everything, 1, sample);
    expect(encoded(everything, 1, { ...sample, note: "none", extra: [] })).toEqual(bare);
    expect(bare.at(-1)).toBe(0);
    const note = "n".repeat(300);
    const extra = [{ x: 3, label: "three" }];
    const tagged = encoded(everything, 1, { ...sample, note, extra });
    const read = decodeMessage(everything, 1, tagged);
    expect([read.note, read.extra]).toEqual([note, extra]);
    const section = tagged.subarray(bare.length - 1);
    // Two tags; tag 0 of 12 bytes: one element, x, label, no tags; then tag 3 of 302 bytes.
    expect([...section.subarray(0, 5)]).toEqual([2, 0, 12, 2, 0]);
    expect([...section.subarray(15, 20)]).toEqual([3, 0xae, 2, 0xad, 2]);
  });

  test("give fields that the version lacks their defaults", () => {
    const { allowAutoTopicCreation, topics } = roundTrip(metadataRequest, 1, {
      topics: null,
      includeTopicAuthorizedOperations: false,
    });
    expect([allowAutoTopicCreation, topics]).toEqual([true, null]);
    const request = { maxWaitMs: 1, minBytes: 1, topics: [] };
    expect(roundTrip(fetchRequest, 4, request)).toMatchObject({
      replicaState: { replicaId: -1, replicaEpoch: -1 },
      sessionEpoch: -1,
      forgottenTopicsData: [],
      clusterId: null,
    });
  });

  test("keep every field wherever the writer's buffer happens to grow", () => {
    const label = "l".repeat(130);
    const points = [
      { x: -1, label },
      { x: 2, label: null },
    ];
    const extra = [{ x: 5, label }];
    for (let length = 0; length < 600; length++) {
      const name = "n".repeat(length);
      const value = { ...sample, name, points, origin: { x: 7, label }, note: label, extra };
      const read = roundTrip(grown, 1, { name, flags, inner: value, after: flags });
      const expected = { name, flags, inner: { ...value, gone: 5 }, after: flags };
      expect([length, Bun.deepEquals(read, expected)]).toEqual([length, true]);
    }
  });

  test("hold the 64-bit maximum as int64Max", () => {
    const big = int64Max;
    expect(roundTrip(everything, 0, { ...sample, big }).big).toBe(int64Max);
    const bytes = encoded(everything, 0, { ...sample, big });
    expect([...bytes.subarray(14, 22)]).toEqual([0x7f, ...new Array(7).fill(0xff)]);
  });
});

describe("encodeMessage", () => {
  const batch = new Uint8Array(5000).fill(1);

  function response(payload: RecordsPayload): Uint8Array[] {
    const partitions = [
      { partitionIndex: 0, errorCode: 0, highWatermark: 1, records: payload },
      { partitionIndex: 1, errorCode: 0, highWatermark: 1, records: null },
    ];
    const value = { errorCode: 0, responses: [{ topic: "t", partitions }] };
    const { chunks, byteLength } = encodeMessage(fetchResponse, 12, value);
    expect(chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(byteLength);
    return [...chunks];
  }

  test("passes large records through uncopied", () => {
    const [head, body, tail, ...rest] = response(batch);
    expect(body).toBe(batch);
    expect(rest).toEqual([]);
    const read = decodeMessage(fetchResponse, 12, joined([head, body, tail] as Uint8Array[]));
    expect(read.responses[0]?.partitions[0]?.records).toEqual(batch);
    expect(read.responses[0]?.partitions[1]?.records).toBeNull();
  });

  test("passes each part of records through in order", () => {
    const other = new Uint8Array(2000).fill(2);
    const small = new Uint8Array(10).fill(3);
    const chunks = response([batch, other, small]);
    expect(chunks[1]).toBe(batch);
    expect(chunks[2]).toBe(other);
    expect(chunks.length).toBe(4);
    const read = decodeMessage(fetchResponse, 12, joined(chunks));
    expect(read.responses[0]?.partitions[0]?.records).toEqual(joined([batch, other, small]));
  });

  test("copies small records into its own buffer", () => {
    expect(response(new Uint8Array(100)).length).toBe(1);
  });

  test("refuses a set field that the version lacks unless it is ignorable or tagged", () => {
    const error = thrownBy(() => encodeMessage(everything, 2, { ...sample, gone: 6 }));
    expect([error.code, error.message]).toEqual([
      "unsupported_version",
      "Cannot write Everything 2 at byte 0, gone: version 2 lacks the field, but it has a value",
    ]);
    expect(() => encodeMessage(everything, 2, { ...sample, gone: 5 })).not.toThrow();
    expect(() => encodeMessage(everything, 0, { ...sample, note: "x" })).not.toThrow();
    const points = [{ x: 1 }, { x: 2, label: "b" }];
    const inner = thrownBy(() => encodeMessage(everything, 0, { ...sample, points }));
    expect(fieldOf(inner)).toBe("points[1].label");
    const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 1, records: null };
    const response = {
      errorCode: 0,
      responses: [{ topicId: sample.id, partitions: [{ ...partition, logStartOffset: 3 }] }],
    };
    expect(() => encodeMessage(fetchResponse, 4, response)).not.toThrow();
  });

  test("refuses values that do not fit", () => {
    const wrong: [string, Partial<Everything>][] = [
      ["tiny", { tiny: 128 }],
      ["small", { small: -0x8001 }],
      ["port", { port: -1 }],
      ["medium", { medium: 2 ** 31 }],
      ["medium", { medium: 1.5 }],
      ["count", { count: 2 ** 32 }],
      ["big", { big: 2 ** 53 }],
      ["big", { big: Number.NaN }],
      ["id", { id: "short" }],
      ["id", { id: "!".repeat(22) }],
      ["name", { name: "x".repeat(0x8000) }],
      ["points", { points: null as never }],
      ["points[0].x", { points: [{ x: 2 ** 40 }] }],
    ];
    for (const [field, change] of wrong) {
      for (const version of [0, 1]) {
        const error = thrownBy(() => encodeMessage(everything, version, { ...sample, ...change }));
        expect([error.code, fieldOf(error)]).toEqual(["invalid_request", field]);
      }
    }
  });
});

describe("decodeMessage", () => {
  test("gives bytes and records as views into the frame", () => {
    const frame = encoded(everything, 1, sample);
    const { blob, batches } = decodeMessage(everything, 1, frame);
    expect(blob?.buffer).toBe(frame.buffer);
    expect(batches?.buffer).toBe(frame.buffer);
  });

  test("starts at the given position and refuses what follows the message", () => {
    const frame = joined([Uint8Array.of(1, 2), encoded(everything, 1, sample)]);
    expect(decodeMessage(everything, 1, frame, { position: 2 }).medium).toBe(sample.medium);
    const longer = joined([frame, Uint8Array.of(0)]);
    const error = thrownBy(() => decodeMessage(everything, 1, longer, { position: 2 }));
    expect(error.message).toBe(
      `Cannot read Everything 1 at byte ${frame.length}: 1 bytes follow the message`,
    );
    const options = { position: 2, trailing: "ignore" } as const;
    expect(decodeMessage(everything, 1, longer, options).medium).toBe(sample.medium);
  });

  test("refuses a message cut at any byte and says where", () => {
    for (const version of [0, 1, 2]) {
      const whole = encoded(everything, version, { ...sample, ...(version > 0 && { note: "x" }) });
      for (let length = 0; length < whole.length; length++) {
        const cut = whole.subarray(0, length);
        const error = thrownBy(() => decodeMessage(everything, version, cut));
        expect(error.code).toBe("invalid_request");
        expect(positionOf(error)).toBeLessThanOrEqual(length);
      }
    }
  });

  test("names message, version, position and path of what is wrong", () => {
    const request = {
      acks: 1,
      timeoutMs: 1,
      topicData: [{ name: "t", partitionData: [{ index: 7, records: Uint8Array.of(1, 2) }] }],
    };
    const bytes = encoded(produceRequest, 3, request);
    const error = thrownBy(() => decodeMessage(produceRequest, 3, bytes.subarray(0, -1)));
    expect(error.message).toBe(
      `Cannot read ProduceRequest 3 at byte ${bytes.length - 2}, ` +
        "topicData[0].partitionData[0].records: expected 2 more bytes, 1 are left",
    );
  });

  test("refuses versions that the table does not have", () => {
    for (const version of [-1, 3, 1.5]) {
      const error = thrownBy(() => decodeMessage(everything, version, new Uint8Array(0)));
      expect(error.code).toBe("unsupported_version");
    }
  });

  test("refuses 64-bit integers from 2^53 on", () => {
    const bytes = encoded(everything, 0, { ...sample, big: 0 });
    new DataView(bytes.buffer).setBigInt64(14, 2n ** 53n);
    const error = thrownBy(() => decodeMessage(everything, 0, bytes));
    expect([error.code, fieldOf(error), positionOf(error)]).toEqual(["invalid_request", "big", 14]);
  });

  test("replaces malformed UTF-8 as Kafka does and keeps a byte order mark", () => {
    const named = defineMessage<{ readonly name: string }>({
      name: "Named",
      versions: { min: 0, max: 0 },
      fields: { name: string() },
    });
    expect(decodeMessage(named, 0, Uint8Array.of(0, 2, 0x61, 0xff)).name).toBe("a\ufffd");
    expect(decodeMessage(named, 0, Uint8Array.of(0, 3, 0xef, 0xbb, 0xbf)).name).toBe("\ufeff");
  });
});

interface Lists {
  readonly wide: readonly { readonly id: string; readonly size: number }[];
  readonly names?: readonly string[];
}

const lists = defineMessage<Lists>({
  name: "Lists",
  versions: { min: 0, max: 1 },
  flexibleSince: 1,
  fields: {
    wide: structs({ id: uuid(), size: int64() }),
    names: arrayOf(string(), { since: 1, tag: 1 }),
  },
});

describe("decodeMessage of hostile bytes", () => {
  function refusal(version: number, bytes: readonly number[], elementsMax?: number): string {
    const options = elementsMax === undefined ? {} : { elementsMax };
    const error = thrownBy(() => decodeMessage(lists, version, Uint8Array.from(bytes), options));
    expect(error.code).toBe("invalid_request");
    return error.message.replace(/^Cannot read Lists \d at byte \d+(, |: )/, "");
  }

  test("refuses counts that the bytes left cannot hold before making elements", () => {
    expect(refusal(0, [0x7f, 0xff, 0xff, 0xff])).toBe(
      "wide: 2147483647 elements cannot be in the 0 bytes left",
    );
    // Two elements of 24 bytes each are announced where 47 bytes are left.
    expect(refusal(0, [0, 0, 0, 2, ...new Array(47).fill(0)])).toBe(
      "wide: 2 elements cannot be in the 47 bytes left",
    );
    expect(refusal(1, [0xff, 0xff, 0xff, 0xff, 0x0f])).toContain("elements cannot be in");
  });

  test("refuses negative lengths, null where it is not allowed and endless varints", () => {
    expect(refusal(0, [0xff, 0xff, 0xff, 0xfe])).toBe("wide: the length -2 is negative");
    expect(refusal(0, [0xff, 0xff, 0xff, 0xff])).toBe("wide: null is not allowed here");
    expect(refusal(1, [0])).toBe("wide: null is not allowed here");
    const endless = "wide: the varint does not end within 32 bits";
    expect(refusal(1, [0xff, 0xff, 0xff, 0xff, 0xff, 1])).toBe(endless);
    expect(refusal(1, [0xff, 0xff, 0xff, 0xff, 0x1f])).toBe(endless);
  });

  test("refuses more array elements than the bound of the message", () => {
    const five = [1, 1, 1, 6, 6, ...new Array(5).fill(1)];
    expect(refusal(1, five, 5)).toContain("names: the message has too many array elements");
    const read = decodeMessage(lists, 1, Uint8Array.from(five), { elementsMax: 6 });
    expect(read.names?.length).toBe(5);
  });

  test("skips unknown tags", () => {
    const bytes = [1, 3, 0, 2, 9, 9, 1, 3, 2, 2, 0x61, 0xe4, 1, 0];
    expect(decodeMessage(lists, 1, Uint8Array.from(bytes))).toEqual({ wide: [], names: ["a"] });
  });

  test("refuses tags that are cut, longer than the message or not filled by their field", () => {
    expect(refusal(1, [1, 200, 1])).toContain("elements cannot be in");
    expect(refusal(1, [1, 1, 0, 5, 1])).toBe("expected 5 more bytes, 1 are left");
    expect(refusal(1, [1, 1, 1, 2, 1, 0])).toBe("names: 1 bytes are left over");
    expect(refusal(1, [1, 1, 1, 1, 2, 0])).toContain("names: 1 elements cannot be in the 0 bytes");
    expect(refusal(1, [1, 1, 1, 5, 1])).toBe("names: expected 5 more bytes, 1 are left");
  });

  test("refuses strings above Kafka's bound", () => {
    const length = [0x82, 0x80, 2];
    const bytes = [1, 1, 1, 0x84, 0x80, 2, 2, ...length, ...new Array(0x8001).fill(0x61)];
    expect(refusal(1, bytes)).toContain("names[0]: the string has 32769 bytes");
  });
});

describe("zeroUuid", () => {
  test("is the default of uuid fields", () => {
    const id = defineMessage<{ readonly id?: string }>({
      name: "Id",
      versions: { min: 0, max: 1 },
      fields: { id: uuid({ since: 1, ignorable: true }) },
    });
    expect(roundTrip(id, 0, {}).id).toBe(zeroUuid);
    expect(encoded(id, 1, {})).toEqual(new Uint8Array(16));
  });
});
