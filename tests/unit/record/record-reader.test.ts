import { describe, expect, test } from "bun:test";
import { RecordReader } from "../../../src/record/record-reader.ts";

function reader(...bytes: number[]): RecordReader {
  return new RecordReader(Uint8Array.from(bytes), "invalid_record");
}

const refusal = expect.objectContaining({ code: "invalid_record" });

describe("RecordReader", () => {
  test("refuses numbers that are cut off or too long", () => {
    expect(() => reader().varint()).toThrow(refusal);
    expect(() => reader(0x80, 0x80).varint()).toThrow(refusal);
    expect(() => reader(0x80, 0x80, 0x80, 0x80, 0x80, 0x01).varint()).toThrow(refusal);
    expect(() => reader(...Array(9).fill(0x80)).varlong()).toThrow(refusal);
    expect(() => reader(...Array(11).fill(0x80)).varlong()).toThrow(refusal);
  });

  test("refuses a 64-bit number beyond 2^53 and takes one of ten bytes within", () => {
    expect(() => reader(...Array(9).fill(0xff), 1).varlong()).toThrow(refusal);
    expect(reader(0x82, ...Array(8).fill(0x80), 0).varlong()).toBe(1);
  });

  test("refuses a record that is longer than the buffer, negative or empty", () => {
    expect(() => reader(0x06, 0, 0).enter()).toThrow(refusal);
    expect(() => reader(0x01).enter()).toThrow(refusal);
    expect(() => reader(0x00).enter()).toThrow(refusal);
  });

  test("refuses lengths that reach out of the record though not out of the buffer", () => {
    const records = reader(0x06, 0, 0x08, 1, 2, 3, 4, 5);
    records.enter();
    expect(() => records.skip("a key")).toThrow("a key of 4 bytes, 1 are left");
    const negative = reader(0x04, 0, 0x03);
    negative.enter();
    expect(() => negative.view("a key")).toThrow("a key of -2 bytes");
  });

  test("refuses more headers than the bytes left can hold", () => {
    const records = reader(0x08, 0, 0x04, 0, 0, 0, 0);
    records.enter();
    expect(() => records.headerCount()).toThrow("counts 2 headers in 2 bytes");
  });

  test("names the record in message and details", () => {
    const records = reader(0x02, 0, 0x04, 0, 0);
    records.enter();
    records.leave();
    records.enter();
    expect(() => records.leave()).toThrow(
      expect.objectContaining({
        details: { recordIndex: 1 },
        message: expect.stringContaining("1 bytes longer"),
      }),
    );
  });
});
