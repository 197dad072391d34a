import { describe, expect, test } from "bun:test";
import { isStreamError } from "../../../../src/base/stream-error.ts";
import { FrameSplitter } from "../../../../src/wire/kafka/frame.ts";

function framed(...frames: readonly Uint8Array[]): Uint8Array {
  const parts = frames.flatMap((frame) => {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setInt32(0, frame.length);
    return [length, frame];
  });
  return new Uint8Array(Buffer.concat(parts));
}

function numbered(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => first + index);
}

function framesOf(splitter: FrameSplitter, chunk: Uint8Array): Uint8Array[] {
  splitter.push(chunk);
  const frames: Uint8Array[] = [];
  for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) {
    frames.push(frame);
  }
  return frames;
}

function codeThrownBy(splitter: FrameSplitter, chunk: Uint8Array): string {
  try {
    framesOf(splitter, chunk);
  } catch (error) {
    if (isStreamError(error)) return error.code;
    throw error;
  }
  return "none";
}

const frames = [numbered(5, 1), new Uint8Array(0), numbered(130, 50), numbered(1, 9)];
const stream = framed(...frames);

describe("FrameSplitter", () => {
  test("gives frames within one chunk as views of it", () => {
    const splitter = new FrameSplitter({ frameBytesMax: 1000 });
    const got = framesOf(splitter, stream);
    expect(got).toEqual(frames);
    for (const frame of got) expect(frame.buffer).toBe(stream.buffer);
    expect(splitter.unfinishedBytes).toBe(0);
  });

  test("gives the same frames whatever the chunks", () => {
    for (let size = 1; size <= stream.length; size++) {
      for (let first = 0; first < size; first++) {
        const splitter = new FrameSplitter({ frameBytesMax: 130 });
        const got: Uint8Array[] = framesOf(splitter, stream.subarray(0, first));
        for (let start = first; start < stream.length; start += size) {
          got.push(...framesOf(splitter, stream.subarray(start, start + size)));
        }
        if (!Bun.deepEquals(got, frames))
          expect({ size, first, got }).toBe({ size, first, got: [] });
      }
    }
  });

  test("gathers a large frame that comes in small chunks", () => {
    const large = Uint8Array.from({ length: 1_000_000 }, (_, index) => index * 7);
    const bytes = framed(large, frames[0] as Uint8Array);
    for (const size of [101, 65_536, 999_999]) {
      const splitter = new FrameSplitter({ frameBytesMax: 1_000_000 });
      const got: Uint8Array[] = [];
      for (let start = 0; start < bytes.length; start += size) {
        got.push(...framesOf(splitter, bytes.subarray(start, start + size)));
      }
      expect(got.length).toBe(2);
      expect(Bun.deepEquals(got[0], large)).toBe(true);
      expect(got[1]).toEqual(frames[0] as Uint8Array);
    }
  });

  test("tells how much of an unfinished frame it holds and awaits", () => {
    const splitter = new FrameSplitter({ frameBytesMax: 1000 });
    const bytes = framed(numbered(100, 0));
    expect(framesOf(splitter, bytes.subarray(0, 3))).toEqual([]);
    expect([splitter.unfinishedBytes, splitter.awaitedBytes]).toEqual([3, 0]);
    expect(framesOf(splitter, bytes.subarray(3, 34))).toEqual([]);
    expect([splitter.unfinishedBytes, splitter.awaitedBytes]).toEqual([34, 70]);
    expect(framesOf(splitter, bytes.subarray(34)).length).toBe(1);
    expect([splitter.unfinishedBytes, splitter.awaitedBytes]).toEqual([0, 0]);
  });

  test("refuses a frame above the limit after giving those before it", () => {
    const splitter = new FrameSplitter({ frameBytesMax: 129 });
    splitter.push(stream);
    expect(splitter.next()).toEqual(frames[0]);
    expect(splitter.next()).toEqual(frames[1]);
    expect(() => splitter.next()).toThrow("Cannot read a frame of 130 bytes: 0 to 129 are allowed");
  });

  test("tells a frame too large from a length that is none", () => {
    const text = new TextEncoder().encode("GET / HTTP/1.1");
    const negative = Uint8Array.of(0xff, 0xff, 0xff, 0xff);
    expect(codeThrownBy(new FrameSplitter({ frameBytesMax: 1e8 }), text)).toBe("request_too_large");
    expect(codeThrownBy(new FrameSplitter({ frameBytesMax: 1e8 }), negative)).toBe(
      "invalid_request",
    );
  });

  test("takes no chunk before the last one's frames are taken", () => {
    const splitter = new FrameSplitter({ frameBytesMax: 1000 });
    splitter.push(stream);
    expect(() => splitter.push(stream)).toThrow("Broken invariant");
  });

  test("a large frame gets its buffer on demand only when there is room for it", () => {
    const splitter = new FrameSplitter({ frameBytesMax: 1_000_000, buffersOnDemand: true });
    const first = new Uint8Array(400_004);
    new DataView(first.buffer).setInt32(0, 800_000);
    splitter.push(first);
    expect(splitter.next()).toBeUndefined();
    // Not copied yet: a change in the chunk is still seen, and none after the copy.
    first[4] = 9;
    splitter.mayBuffer();
    first[4] = 1;
    splitter.push(new Uint8Array(400_000));
    const frame = splitter.next();
    expect(frame?.length).toBe(800_000);
    expect(frame?.[0]).toBe(9);
  });

  test("a small frame or the beginning of one keeps no large chunk", () => {
    const splitter = new FrameSplitter({ frameBytesMax: 1_000_000, buffersOnDemand: true });
    const large = new Uint8Array(300_000).fill(7);
    const chunk = framed(large, numbered(130, 50), new Uint8Array(400_000).fill(8));
    const [first, second] = framesOf(splitter, chunk.subarray(0, chunk.length - 390_000));
    expect(first?.buffer).toBe(chunk.buffer);
    expect(second).toEqual(numbered(130, 50));
    expect(second?.buffer.byteLength).toBeLessThan(1000);
    splitter.mayBuffer();
    chunk.fill(0);
    const [third] = framesOf(splitter, new Uint8Array(390_000).fill(8));
    expect(third).toEqual(new Uint8Array(400_000).fill(8));
  });
});

describe("FrameSplitter with buffers of its owner", () => {
  const large = numbered(20_000, 3);
  const small = numbered(100, 5);

  function withBuffers() {
    const released: Uint8Array[] = [];
    const taken: Uint8Array[] = [];
    const splitter = new FrameSplitter({
      frameBytesMax: 1_000_000,
      buffersOnDemand: true,
      bufferFor(length, head) {
        if (head[0] !== 3) return undefined;
        const buffer = new Uint8Array(length);
        taken.push(buffer);
        return buffer;
      },
      release: (chunk) => void released.push(chunk),
    });
    return { splitter, released, taken };
  }

  test("copies a large frame there, and releases the chunk", () => {
    const { splitter, released, taken } = withBuffers();
    const chunk = framed(large, large);
    expect(framesOf(splitter, chunk)).toEqual([large, large]);
    expect(taken).toHaveLength(2);
    expect(released).toEqual([chunk]);
  });

  test("keeps a chunk of which a frame is a view", () => {
    const { splitter, released, taken } = withBuffers();
    const chunk = framed(large, small);
    expect(framesOf(splitter, chunk)).toEqual([large, small]);
    expect(taken).toHaveLength(1);
    expect(released).toEqual([]);
  });

  test("releases every chunk of a frame that spans them, the first once it is copied", () => {
    const { splitter, released, taken } = withBuffers();
    const whole = framed(numbered(200_000, 3));
    const cuts = [1000, 90_000, 150_000, whole.length];
    let start = 0;
    const got: Uint8Array[] = [];
    for (const end of cuts) {
      const chunk = whole.slice(start, end);
      got.push(...framesOf(splitter, chunk));
      if (start === 0) {
        expect(released).toEqual([]);
        splitter.mayBuffer();
      }
      start = end;
    }
    expect(got).toEqual([numbered(200_000, 3)]);
    expect(taken).toHaveLength(1);
    expect(released.map(({ length }) => length).sort((a, b) => a - b)).toEqual(
      [1000, 89_000, 60_000, 50_004].sort((a, b) => a - b),
    );
  });

  test("uses memory of its own where there is no buffer", () => {
    const { splitter, released, taken } = withBuffers();
    const other = numbered(20_000, 4);
    const chunk = framed(other);
    expect(framesOf(splitter, chunk)).toEqual([other]);
    expect(taken).toEqual([]);
    expect(released).toEqual([]);
  });

  test("hands back the buffer of a frame that the end of the stream cut", () => {
    const { splitter, taken } = withBuffers();
    const chunk = framed(numbered(200_000, 3));
    framesOf(splitter, chunk.slice(0, 100_000));
    splitter.mayBuffer();
    expect(splitter.abandon()).toBe(taken[0]);
    expect(splitter.abandon()).toBeUndefined();
  });
});
