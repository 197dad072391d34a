import { describe, expect, test } from "bun:test";
import { StreamError } from "../../../../src/base/stream-error.ts";
import type { NewAccessToken } from "../../../../src/meta/access-tokens.ts";
import { TokenBook } from "../../../../src/server/http/token-book.ts";
import { MemoryTokens } from "../../../support/memory-tokens.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

const token = (tokenId: string): NewAccessToken => ({
  tokenId,
  secretHash: "0".repeat(64),
  topics: ["clicks"],
  operations: ["write"],
  origins: ["https://shop.example"],
  recordsPerSecondMax: null,
  lifeMs: null,
});

function bookOf() {
  const platform = createVirtualPlatform({ seed: 1 });
  const store = new MemoryTokens(platform.clock);
  return { platform, store, book: new TokenBook(store, platform) };
}

describe("TokenBook", () => {
  test("reads the list once for many that ask within five seconds", async () => {
    const { platform, store, book } = bookOf();
    await store.add(token("a"));
    for (let round = 0; round < 10; round++) {
      expect((await book.find("a"))?.tokenId).toBe("a");
      await platform.advance(400);
    }
    expect(store.lists).toBe(1);
  });

  test("finds a token made elsewhere since the list was read", async () => {
    const { platform, store, book } = bookOf();
    expect(await book.find("a")).toBeUndefined();
    await store.add(token("a"));
    await platform.advance(1);
    const found = book.find("a");
    await platform.advance(200);
    expect((await found)?.tokenId).toBe("a");
  });

  test("believes a list that was begun before a token was asked for in what it has alone", async () => {
    const { platform, store, book } = bookOf();
    const list = store.list.bind(store);
    const gate = Promise.withResolvers<void>();
    store.list = async (version) => {
      const read = await list(version);
      await gate.promise;
      return read;
    };
    const first = book.find("other");
    await store.add(token("a"));
    await platform.advance(1);
    const second = book.find("a");
    gate.resolve();
    await platform.advance(200);
    expect([await first, (await second)?.tokenId]).toEqual([undefined, "a"]);
  });

  test("lets a token that was revoked elsewhere live for five seconds at most", async () => {
    const { platform, store, book } = bookOf();
    await store.add(token("a"));
    await book.find("a");
    await store.remove("a");
    await platform.advance(4_900);
    expect(await book.find("a")).toBeDefined();
    await platform.advance(200);
    const gone = book.find("a");
    await platform.advance(200);
    expect(await gone).toBeUndefined();
  });

  test("reads five times a second at most, however many unknown tokens are shown", async () => {
    const { platform, store, book } = bookOf();
    const asked: Promise<unknown>[] = [];
    for (let index = 0; index < 1000; index++) {
      asked.push(book.find(`unknown ${index}`));
      await platform.advance(1);
    }
    await platform.advance(1000);
    await Promise.all(asked);
    expect(store.lists).toBeLessThanOrEqual(7);
  });

  test("knows nothing while the metadata does not answer", async () => {
    const { platform, store, book } = bookOf();
    await store.add(token("a"));
    await book.find("a");
    store.list = async () => {
      throw new StreamError("metadata_unavailable", "no answer");
    };
    await platform.advance(6_000);
    expect(book.find("a")).rejects.toMatchObject({ code: "metadata_unavailable" });
  });

  test("tells which pages have a token for a topic", async () => {
    const { store, book } = bookOf();
    await store.add(token("a"));
    expect(await book.hasOrigin("https://shop.example", "clicks", ["write"])).toBe(true);
    expect(book.knowsOrigin("https://shop.example", "clicks", ["read"])).toBe(false);
    expect(book.knowsOrigin("https://shop.example", "orders", ["write"])).toBe(false);
    expect(book.knowsOrigin("https://evil.example", "clicks", ["write"])).toBe(false);
  });
});
