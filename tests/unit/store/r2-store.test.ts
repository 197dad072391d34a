import { describe, expect, test } from "bun:test";
import { silentLogger } from "../../../src/base/log.ts";
import { type R2Bucket, R2Store, type R2StoreOptions } from "../../../src/store/r2-store.ts";
import { expectCode, filled, same } from "../../contract/object-store.ts";
import { realTimers, systemRandom } from "../../support/real-timers.ts";
import { crc32c } from "../../support/segments.ts";

const key = "receipts/x";
const bytes = filled(5000, 3);
const whole = { key, position: 0, length: bytes.length };

interface Kept {
  readonly bytes: Uint8Array;
  readonly customMetadata: Readonly<Record<string, string>>;
}

/** What happens to the next requests: they fail, or they happen and their answer is lost. */
type Fault = "busy" | "lost" | "silent" | "refused" | "short";

/** A bucket in memory that notes what it is asked and fails as it is told. */
class FaultyBucket implements R2Bucket {
  readonly asked: string[] = [];
  readonly faults: Fault[] = [];
  readonly kept = new Map<string, Kept>();

  head(name: string) {
    return this.#answer(`head ${name}`, () => this.#object(name));
  }

  get(name: string, { range }: { range: { offset: number; length: number } }) {
    const end = range.offset + range.length - (this.faults[0] === "short" ? 1 : 0);
    return this.#answer(`get ${name}`, () => {
      const found = this.#object(name);
      const part = this.kept.get(name)?.bytes.slice(range.offset, end);
      if (found === null || part === undefined) return null;
      return { ...found, arrayBuffer: async () => part.buffer as ArrayBuffer };
    });
  }

  put(name: string, value: Uint8Array, options: Parameters<R2Bucket["put"]>[2]) {
    const copy = value.slice();
    return this.#answer(`put ${name}`, () => {
      if (options.onlyIf.get("If-None-Match") === "*" && this.kept.has(name)) return null;
      this.kept.set(name, { bytes: copy, customMetadata: options.customMetadata });
      return this.#object(name);
    });
  }

  delete(names: string[]) {
    return this.#answer(`delete ${names.length}`, () => {
      for (const name of names) this.kept.delete(name);
    });
  }

  /** Pages of two. */
  list({ prefix, cursor = "" }: { prefix: string; cursor?: string }) {
    return this.#answer(`list ${prefix}`, () => {
      const names = [...this.kept.keys()].filter((name) => name.startsWith(prefix)).toSorted();
      const left = names.filter((name) => name > cursor);
      const objects = left.slice(0, 2).flatMap((name) => this.#object(name) ?? []);
      return { objects, truncated: left.length > 2, cursor: objects.at(-1)?.key ?? "" };
    });
  }

  async #answer<T>(request: string, act: () => T): Promise<T> {
    this.asked.push(request);
    const fault = this.faults.shift();
    if (fault === "busy") throw new Error("put: too many requests (10058)");
    if (fault === "refused") throw new Error("put: access denied (10003)");
    if (fault === "silent") return new Promise(() => {});
    const answer = act();
    if (fault === "lost") throw new Error("Network connection lost.");
    return answer;
  }

  #object(name: string) {
    const found = this.kept.get(name);
    if (found === undefined) return null;
    return { key: name, size: found.bytes.length, customMetadata: found.customMetadata };
  }
}

function make(options: Partial<R2StoreOptions> = {}) {
  const bucket = new FaultyBucket();
  const store = new R2Store({
    bucket,
    prefix: "",
    platform: { timers: realTimers, random: systemRandom, crc32c, log: silentLogger },
    retry: { delayBaseMs: 1, delayMaxMs: 4, attemptTimeoutMs: 50 },
    hedgeAfterMs: 0,
    ...options,
  });
  return { bucket, store };
}

describe("R2Store", () => {
  test("finds a put whose answer was lost instead of sending it again", async () => {
    const { bucket, store } = make();
    bucket.faults.push("lost");
    await store.create(key, bytes);
    expect(bucket.asked).toEqual([`put ${key}`, `head ${key}`]);
  });

  for (const fault of ["busy", "silent"] as const) {
    test(`sends a put again when a look shows that it did not happen (${fault})`, async () => {
      const { bucket, store } = make();
      bucket.faults.push(fault);
      await store.create(key, bytes);
      expect(bucket.asked).toEqual([`put ${key}`, `head ${key}`, `put ${key}`]);
      expect(same(await store.read(whole), bytes)).toBe(true);
    });
  }

  test("does not repeat what R2 refuses for good", async () => {
    const { bucket, store } = make();
    bucket.faults.push("refused");
    await expectCode(store.create(key, bytes), "store_unavailable");
    expect(bucket.asked).toEqual([`put ${key}`]);
  });

  test("gives up after five attempts", async () => {
    const { bucket, store } = make();
    bucket.faults.push("busy", "busy", "busy", "busy", "busy");
    await expectCode(store.sizeOf(key), "store_unavailable");
    expect(bucket.asked.length).toBe(5);
  });

  test("reads again when fewer bytes came than the object has", async () => {
    const { bucket, store } = make();
    await store.create(key, bytes);
    bucket.faults.push("short");
    expect(same(await store.read(whole), bytes)).toBe(true);
    expect(bucket.asked).toEqual([`put ${key}`, `get ${key}`, `get ${key}`]);
  });

  test("asks a second time for a read that is not answered", async () => {
    const { bucket, store } = make({ hedgeAfterMs: 5 });
    await store.create(key, bytes);
    bucket.faults.push("silent");
    expect(same(await store.read(whole), bytes)).toBe(true);
  });

  test("keeps its objects under the prefix, lists page by page and deletes in batches", async () => {
    const { bucket, store } = make({ prefix: "log" });
    const keys = Array.from({ length: 5 }, (_, index) => `x/${index}`);
    for (const each of keys) await store.create(each, bytes);
    bucket.kept.set("x/foreign", { bytes, customMetadata: {} });
    const found = await Array.fromAsync(store.list("x/"));
    expect(found.map((each) => each.key)).toEqual(keys);
    expect(bucket.asked.filter((each) => each === "list log/x/").length).toBe(3);
    bucket.asked.length = 0;
    await store.delete(Array.from({ length: 1001 }, (_, index) => `x/${index}`));
    expect(bucket.asked).toEqual(["delete 1000", "delete 1"]);
    expect([...bucket.kept.keys()]).toEqual(["x/foreign"]);
  });
});
