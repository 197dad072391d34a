import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isStreamError } from "../../src/base/stream-error.ts";
import { kafkaApis } from "../../src/wire/kafka/api-registry.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/kafka/codec.ts";
import { fieldDefault } from "../../src/wire/kafka/field-default.ts";
import {
  type FieldShape,
  type FieldType,
  int64Max,
  type MessageTable,
  type PrimitiveKind,
} from "../../src/wire/kafka/field-table.ts";
import { FrameSplitter } from "../../src/wire/kafka/frame.ts";

const integer = (min: number, max: number) => fc.integer({ min, max });
const blob = fc.uint8Array({ maxLength: 3000, size: "+1" });

const primitives: Readonly<Record<PrimitiveKind, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int8: integer(-0x80, 0x7f),
  int16: integer(-0x8000, 0x7fff),
  uint16: integer(0, 0xffff),
  int32: integer(-0x8000_0000, 0x7fff_ffff),
  uint32: integer(0, 0xffff_ffff),
  int64: fc.oneof(fc.maxSafeInteger(), fc.constant(int64Max)),
  float64: fc.double(),
  uuid: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes) => bytes.toBase64({ alphabet: "base64url", omitPadding: true })),
  string: fc.string({ unit: "binary", maxLength: 300 }),
  bytes: blob,
  records: blob,
};

/** A value of the type in a version; fields that the version lacks have their default. */
function anyValue(type: FieldType, version: number): fc.Arbitrary<unknown> {
  if (type.kind === "array") return fc.array(anyValue(type.element, version), { maxLength: 3 });
  if (type.kind === "struct") return structOf(type.fields, version);
  return primitives[type.kind];
}

function structOf(
  fields: Readonly<Record<string, FieldShape>>,
  version: number,
): fc.Arbitrary<Record<string, unknown>> {
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [name, field] of Object.entries(fields)) {
    const { since = 0, until = version, nullableSince = version + 1 } = field.options;
    if (version < since || version > until) {
      model[name] = fc.constant(fieldDefault(field));
    } else {
      const value = anyValue(field.type, version);
      model[name] = version >= nullableSince ? fc.option(value) : value;
    }
  }
  return fc.record(model, { noNullPrototype: true });
}

interface Version {
  readonly message: MessageTable<unknown>;
  readonly version: number;
}

const versions: readonly Version[] = kafkaApis.flatMap(({ request, response, versions: range }) =>
  [request, response].flatMap((shape) =>
    Array.from({ length: range.max - range.min + 1 }, (_, index) => ({
      message: shape as MessageTable<unknown>,
      version: range.min + index,
    })),
  ),
);

const example = fc
  .constantFrom(...versions)
  .chain(({ message, version }) =>
    structOf(message.fields, version).map((value) => ({ message, version, value })),
  );

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}

describe("the Kafka codec", () => {
  test("reads back what it wrote, for any value of any version", () => {
    fc.assert(
      fc.property(example, ({ message, version, value }) => {
        const { chunks, byteLength } = encodeMessage(message, version, value);
        const bytes = joined(chunks);
        expect(bytes.length).toBe(byteLength);
        expect(decodeMessage(message, version, bytes)).toEqual(value);
      }),
      { numRuns: 4000, seed: 20 },
    );
  });

  test("refuses or reads any bytes, and fails in no other way", () => {
    const hostile = fc.tuple(fc.constantFrom(...versions), fc.uint8Array({ maxLength: 200 }));
    fc.assert(
      fc.property(hostile, ([{ message, version }, bytes]) => {
        try {
          decodeMessage(message, version, bytes);
        } catch (error) {
          if (!isStreamError(error, "invalid_request")) throw error;
        }
      }),
      { numRuns: 3000, seed: 21 },
    );
  });
});

describe("FrameSplitter", () => {
  test("gives back any frames, however their bytes are cut", () => {
    const stream = fc.tuple(
      fc.array(fc.uint8Array({ maxLength: 70_000, size: "max" }), { maxLength: 4 }),
      fc.array(integer(1, 100_000), { minLength: 1, maxLength: 8 }),
    );
    fc.assert(
      fc.property(stream, ([frames, sizes]) => {
        const bytes = joined(
          frames.flatMap((frame) => {
            const length = new Uint8Array(4);
            new DataView(length.buffer).setInt32(0, frame.length);
            return [length, frame];
          }),
        );
        const splitter = new FrameSplitter({ frameBytesMax: 70_000 });
        const got: Uint8Array[] = [];
        let start = 0;
        for (let turn = 0; start < bytes.length; turn++) {
          const end = start + (sizes[turn % sizes.length] as number);
          splitter.push(bytes.subarray(start, end));
          for (let frame = splitter.next(); frame; frame = splitter.next()) got.push(frame);
          start = end;
        }
        expect(Bun.deepEquals(got, frames)).toBe(true);
        expect(splitter.unfinishedBytes).toBe(0);
      }),
      { numRuns: 60, seed: 22 },
    );
  });
});
