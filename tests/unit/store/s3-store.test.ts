import { describe, expect, test } from "bun:test";
import { silentLogger } from "../../../src/base/log.ts";
import { S3Store, type S3StoreOptions } from "../../../src/store/s3-store.ts";
import { expectCode, filled, same } from "../../contract/object-store.ts";
import { realTimers, systemRandom } from "../../support/real-timers.ts";
import {
  type S3Fault,
  type S3FaultServer,
  startS3FaultServer,
} from "../../support/s3-fault-server.ts";
import { crc32c } from "../../support/segments.ts";

/** Only an answer that never comes is to be given up, however busy the machine. */
const retry = { delayBaseMs: 1, delayMaxMs: 4, attemptTimeoutMs: 30_000 };

/** For a store that meets `fault`. */
function retryOf(fault: S3Fault) {
  const isSilent = fault === "silent" || fault === "late";
  return { retry: { ...retry, attemptTimeoutMs: isSilent ? 1_000 : 30_000 } };
}

async function withStore(
  use: (harness: { store: S3Store; server: S3FaultServer }) => Promise<void>,
  options: Partial<S3StoreOptions> = {},
): Promise<void> {
  const server = await startS3FaultServer();
  const store = new S3Store({
    bucket: "bucket",
    prefix: "",
    endpoint: server.endpoint,
    region: "us-east-1",
    pathStyle: true,
    credentials: { accessKeyId: "key", secretAccessKey: "secret" },
    platform: { timers: realTimers, random: systemRandom, crc32c, log: silentLogger },
    retry,
    hedgeAfterMs: 0,
    ...options,
  });
  try {
    await use({ store, server });
    await store.close();
  } finally {
    await server.close();
  }
}

const key = "receipts/x";
const bytes = filled(5000, 3);
const whole = { key, position: 0, length: bytes.length };

describe("S3Store writes", () => {
  test("repeat a PUT that was refused for now, without asking first", () =>
    withStore(async ({ store, server }) => {
      server.faults.push(503, 429);
      await store.create(key, bytes);
      expect(server.requests).toEqual([`PUT ${key}`, `PUT ${key}`, `PUT ${key}`]);
      expect(same(await store.read(whole), bytes)).toBe(true);
    }));

  for (const fault of ["lost", "late"] as const) {
    test(`find a PUT whose answer was ${fault} instead of sending it again`, () =>
      withStore(async ({ store, server }) => {
        server.faults.push(fault);
        await store.create(key, bytes);
        expect(server.requests).toEqual([`PUT ${key}`, `HEAD ${key}`]);
      }, retryOf(fault)));
  }

  for (const fault of [500, "reset", "silent"] as const) {
    test(`send a PUT again when a look shows that it did not happen (${fault})`, () =>
      withStore(async ({ store, server }) => {
        server.faults.push(fault);
        await store.create(key, bytes);
        expect(server.requests).toEqual([`PUT ${key}`, `HEAD ${key}`, `PUT ${key}`]);
        expect(server.objects.get(key)?.bytes.length).toBe(bytes.length);
      }, retryOf(fault)));
  }

  test("take an object that meets them as theirs when its bytes are the same", () =>
    withStore(async ({ store, server }) => {
      await store.create(key, bytes);
      await store.create(key, bytes);
      await expectCode(store.create(key, filled(5000, 4)), "object_exists");
      expect(server.objects.get(key)?.bytes.equals(bytes)).toBe(true);
    }));

  test("do not take an object without our mark for ours", () =>
    withStore(async ({ store, server }) => {
      server.objects.set(key, { bytes: Buffer.from(bytes), crc32c: undefined });
      await expectCode(store.create(key, bytes), "object_exists");
    }));

  test("end after bounded attempts with the server's words", () =>
    withStore(async ({ store, server }) => {
      server.faultOf = () => 503;
      const failure = await store.create(key, bytes).catch((error: Error) => error);
      expect(failure).toMatchObject({ code: "store_unavailable", retriable: true });
      expect(String(failure)).toContain("HTTP 503");
      expect(server.requests.length).toBe(6);
    }));

  test("do not repeat what is refused for good", () =>
    withStore(async ({ store, server }) => {
      server.faults.push(403);
      await expectCode(store.create(key, bytes), "store_unavailable");
      expect(server.requests).toEqual([`PUT ${key}`]);
    }));
});

describe("S3Store reads", () => {
  for (const fault of [503, 500, "reset", "silent", "cut"] as const) {
    test(`are repeated after ${fault}`, () =>
      withStore(async ({ store, server }) => {
        await store.create(key, bytes);
        server.faults.push(fault);
        expect(same(await store.read(whole), bytes)).toBe(true);
        expect(server.requests).toEqual([`PUT ${key}`, `GET ${key}`, `GET ${key}`]);
      }, retryOf(fault)));
  }

  test("ask only once for what is missing or too short", () =>
    withStore(async ({ store, server }) => {
      await store.create(key, bytes);
      await expectCode(store.read({ ...whole, key: "x/no" }), "object_missing");
      await expectCode(store.read({ ...whole, length: 5001 }), "corrupt_segment");
      await expectCode(store.read({ ...whole, position: 6000 }), "corrupt_segment");
      expect(server.requests.length).toBe(4);
    }));

  test("are asked for a second time when the first answer is slow", () =>
    withStore(
      async ({ store, server }) => {
        await store.create(key, bytes);
        server.faults.push("silent");
        expect(same(await store.read(whole), bytes)).toBe(true);
        expect(server.requests.filter((request) => request.startsWith("GET")).length).toBe(2);
      },
      { hedgeAfterMs: 10, retry: { attemptTimeoutMs: 60_000 } },
    ));

  test("end when the caller's signal does", () =>
    withStore(
      async ({ store, server }) => {
        await store.create(key, bytes);
        server.faultOf = () => "silent";
        const caller = new AbortController();
        const reading = store.read(whole, caller.signal);
        caller.abort(new Error("nobody waits"));
        await expect(reading).rejects.toThrow("nobody waits");
      },
      { retry: { attemptTimeoutMs: 60_000 } },
    ));
});

describe("S3Store deletes", () => {
  test("go one by one where the store refuses many at once, and stay so", () =>
    withStore(async ({ store, server }) => {
      for (const name of ["a", "b", "c"]) await store.create(`x/${name}`, bytes);
      server.requests.length = 0;
      server.faults.push(501);
      await store.delete(["x/a", "x/b"]);
      await store.delete(["x/c", "x/none"]);
      expect(server.objects.size).toBe(0);
      expect(server.requests).toEqual([
        "POST delete",
        "DELETE x/a",
        "DELETE x/b",
        "DELETE x/c",
        "DELETE x/none",
      ]);
    }));

  test("are repeated after a lost answer", () =>
    withStore(async ({ store, server }) => {
      await store.create("x/a", bytes);
      server.faults.push("lost", 503);
      await store.delete(["x/a", "x/b"]);
      expect(server.objects.size).toBe(0);
    }));
});
