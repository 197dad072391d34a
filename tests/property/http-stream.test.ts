/** A reader of an event stream that is cut off at random places sees every record once, in order. */
import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { present } from "../../src/base/assert.ts";
import { decodeCursor, encodeCursor } from "../../src/wire/http/cursor.ts";
import { createHttpFixture } from "../support/http-fixture.ts";
import { SseReader } from "../support/sse-reader.ts";

const topicId = "AQIDBAUGBwgJCgsMDQ4PEA";

test("a cursor gives back any offsets", () => {
  const offset = fc.oneof(fc.maxSafeNat(), fc.nat(200), fc.constantFrom(0, 127, 128, 2 ** 53 - 1));
  fc.assert(
    fc.property(fc.array(offset, { minLength: 1, maxLength: 50 }), (offsets) => {
      expect(decodeCursor(encodeCursor({ topicId, offsets }))).toEqual({ topicId, offsets });
    }),
  );
});

test("a stream resumed at random cuts, while records and partitions come, loses and repeats none", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("append" as const), partition: fc.nat(7), count: fc.nat(30) }),
    fc.record({ kind: fc.constant("read" as const), count: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant("cut" as const) }),
    fc.record({ kind: fc.constant("grow" as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const run = await StreamRun.start();
      for (const each of steps) {
        if (each.kind === "append") await run.append(each.partition, each.count);
        else if (each.kind === "read") await run.read(each.count);
        else if (each.kind === "cut") await run.cut();
        else await run.grow();
      }
      await run.read(Number.POSITIVE_INFINITY);
      run.check();
      await run.cut();
    }),
    { numRuns: 30 },
  );
});

class StreamRun {
  readonly #fixture = createHttpFixture();
  readonly #written: number[] = [0, 0];
  readonly #seen: number[][] = [];
  #reader: SseReader | undefined;
  #lastId: string | undefined;
  #seenCount = 0;

  static async start(): Promise<StreamRun> {
    const run = new StreamRun();
    await run.#fixture.ask("/v1/topics", { method: "POST", json: { name: "t", partitions: 2 } });
    return run;
  }

  async append(partitionWished: number, count: number): Promise<void> {
    if (count === 0) return;
    const partition = partitionWished % this.#written.length;
    const records = Array.from({ length: count }, () => ({ value: "x".repeat(50), partition }));
    await this.#fixture.ask("/v1/topics/t/records", { method: "POST", json: { records } });
    this.#written[partition] = (this.#written[partition] ?? 0) + count;
  }

  async grow(): Promise<void> {
    const partitions = this.#written.push(0);
    await this.#fixture.ask("/v1/topics/t", { method: "PATCH", json: { partitions } });
  }

  async cut(): Promise<void> {
    await this.#reader?.cancel();
    this.#reader = undefined;
  }

  /** Reads `count` records, or as many as there are. */
  async read(count: number): Promise<void> {
    const there = this.#written.reduce((sum, each) => sum + each, 0);
    const until = Math.min(there, this.#seenCount + count);
    while (this.#seenCount < until) {
      const { id, data } = await (await this.#open()).next();
      const { partition, offset } = JSON.parse(data);
      const offsets = this.#seen[partition] ?? [];
      offsets.push(offset);
      this.#seen[partition] = offsets;
      this.#lastId = id;
      this.#seenCount++;
    }
  }

  check(): void {
    this.#written.forEach((count, partition) => {
      const expected = Array.from({ length: count }, (_, offset) => offset);
      expect(this.#seen[partition] ?? []).toEqual(expected);
    });
  }

  /** Opens the stream on a worker that has never heard of this reader. */
  async #open(): Promise<SseReader> {
    if (this.#reader !== undefined) return this.#reader;
    const headers: Record<string, string> =
      this.#lastId === undefined ? {} : { "Last-Event-ID": this.#lastId };
    const ask = this.#fixture.another();
    this.#reader = new SseReader(await ask("/v1/topics/t/stream?offset=earliest", { headers }));
    return present(this.#reader, "reader");
  }
}
