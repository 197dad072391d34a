import { describe, expect, test } from "bun:test";
import { silentLogger } from "../../../src/base/log.ts";
import type { ObjectSource } from "../../../src/store/object-store.ts";
import { S3Store } from "../../../src/store/s3-store.ts";
import { expectCode, filled, same } from "../../contract/object-store.ts";
import { realTimers, systemRandom } from "../../support/real-timers.ts";
import { type S3FaultServer, startS3FaultServer } from "../../support/s3-fault-server.ts";
import { crc32c } from "../../support/segments.ts";

const partBytes = 1000;
const key = "segments/0000000001/00000001.log";
const bytes = filled(3500, 3);
const crcOfBytes = crc32c.of(bytes).toString(16).padStart(8, "0");

/** A source of `bytes` that notes what is read of it. */
function sourceOf(reads: number[][] = [], source = bytes): ObjectSource {
  return {
    sizeBytes: source.length,
    read: async (position, length) => {
      reads.push([position, length]);
      return source.slice(position, position + length);
    },
  };
}

async function withStore(
  use: (harness: { store: S3Store; server: S3FaultServer }) => Promise<void>,
): Promise<void> {
  const server = await startS3FaultServer();
  const store = new S3Store({
    ...{ bucket: "bucket", prefix: "", endpoint: server.endpoint, region: "us-east-1" },
    ...{ pathStyle: true, partBytes, hedgeAfterMs: 0 },
    credentials: { accessKeyId: "key", secretAccessKey: "secret" },
    platform: { timers: realTimers, random: systemRandom, crc32c, log: silentLogger },
    retry: { delayBaseMs: 1, delayMaxMs: 4, attemptTimeoutMs: 30_000 },
  });
  try {
    await use({ store, server });
    await store.close();
  } finally {
    await server.close();
  }
}

function expectWhole({ objects, uploads }: S3FaultServer): void {
  expect(same(objects.get(key)?.bytes ?? new Uint8Array(0), bytes)).toBe(true);
  expect(objects.get(key)?.crc32c).toBe(crcOfBytes);
  expect(uploads.size).toBe(0);
}

describe("S3Store.createFrom", () => {
  test("sends parts of which one is held at a time, and reads them twice", () =>
    withStore(async ({ store, server }) => {
      const reads: number[][] = [];
      await store.createFrom(key, sourceOf(reads));
      const once = [0, 1000, 2000, 3000].map((start) => [start, Math.min(1000, 3500 - start)]);
      expect(reads).toEqual([...once, ...once]);
      const put = `PUT ${key}`;
      expect(server.requests).toEqual([
        `HEAD ${key}`,
        `POST ${key}`,
        put,
        put,
        put,
        put,
        `POST ${key}`,
      ]);
      expectWhole(server);
      const read = await store.read({ key, position: 900, length: 200 });
      expect(same(read, bytes.subarray(900, 1100))).toBe(true);
    }));

  test("sends what fits into a part at once", () =>
    withStore(async ({ store, server }) => {
      await store.createFrom(key, sourceOf([], bytes.subarray(0, partBytes)));
      expect(server.requests).toEqual([`PUT ${key}`]);
    }));

  test("repeats whatever fails for now, also where only the answer was lost", () =>
    withStore(async ({ store, server }) => {
      // In turn: look, begin, four parts, end.
      const faults = [503, undefined, "reset", undefined, "lost", undefined] as const;
      server.faults.push(...faults, 500, undefined, undefined, undefined, "lost");
      await store.createFrom(key, sourceOf());
      expectWhole(server);
    }));

  test("leaves what is there already, and refuses to replace another object", () =>
    withStore(async ({ store, server }) => {
      await store.createFrom(key, sourceOf());
      server.requests.length = 0;
      await store.createFrom(key, sourceOf());
      expect(server.requests).toEqual([`HEAD ${key}`]);
      const other = filled(bytes.length, 4);
      await expectCode(store.createFrom(key, sourceOf([], other)), "object_exists");
      expectWhole(server);
    }));

  test("a source that changes meanwhile, or fails, makes no object and leaves no parts", () =>
    withStore(async ({ store, server }) => {
      let count = 0;
      const changing: ObjectSource = {
        sizeBytes: bytes.length,
        read: async (position, length) => {
          const piece = bytes.slice(position, position + length);
          if (count++ === 6) piece[0] = (piece[0] ?? 0) ^ 1;
          return piece;
        },
      };
      await expectCode(store.createFrom(key, changing), "corrupt_segment");
      const failing: ObjectSource = {
        ...changing,
        read: (position, length) => {
          if (count++ === 14) return Promise.reject(new Error("the disk is gone"));
          return sourceOf().read(position, length);
        },
      };
      await expect(store.createFrom(key, failing)).rejects.toThrow("the disk is gone");
      expect([server.objects.size, server.uploads.size]).toEqual([0, 0]);
    }));

  test("a store that refuses parts is told of, and holds none", () =>
    withStore(async ({ store, server }) => {
      server.faultOf = (request) => (request.startsWith("PUT") ? 403 : undefined);
      await expectCode(store.createFrom(key, sourceOf()), "store_unavailable");
      expect([server.objects.size, server.uploads.size]).toEqual([0, 0]);
    }));
});
