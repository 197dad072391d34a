import { describe, expect, test } from "bun:test";
import { Pages } from "../../../src/pipeline/view-pages.ts";
import type { ViewReply } from "../../../src/pipeline/view-protocol.ts";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

const page = (rowCount: number, read: number | null): ViewReply => ({
  state: { position: 7, changesFrom: null, memoryBytes: 0 },
  rows: { batches: [], rowCount, read },
});

async function taken(pages: Pages): Promise<(number | undefined)[]> {
  const counts: (number | undefined)[] = [];
  for await (const { rows } of pages.taken()) counts.push(rows?.rowCount);
  return counts;
}

describe("Pages", () => {
  test("are taken in order, those that come later too", async () => {
    expect(await taken(new Pages(page(1, null)))).toEqual([1]);
    const pages = new Pages(page(1, 5), page(2, 5));
    expect(pages.read).toBe(5);
    const all = taken(pages);
    await new Promise((resolve) => setTimeout(resolve, 0));
    pages.add(page(3, null));
    expect(pages.read).toBeNull();
    pages.end(null);
    expect(await all).toEqual([1, 2, 3]);
  });

  test("tell a failure behind what came before it", async () => {
    const pages = new Pages(page(1, 5));
    pages.end(new Error("no more"));
    const iterator = pages.taken();
    expect((await iterator.next()).value?.rows?.rowCount).toBe(1);
    await expect(iterator.next()).rejects.toThrow("no more");
  });

  const bytes = (length: number, read: number | null): ViewReply => ({
    ...page(1, read),
    rows: { batches: [new Uint8Array(length)], rowCount: 1, read },
  });

  test("have room again when the reader has taken what waits", async () => {
    const platform = createVirtualPlatform({ seed: 1 });
    const { signal } = new AbortController();
    const pages = new Pages(bytes(10, 5), bytes(10, 5));
    expect(await pages.room(platform, signal, 21)).toBe(true);
    const room = pages.room(platform, signal, 20);
    const iterator = pages.taken();
    await iterator.next();
    expect(await room).toBe(true);
  });

  test("have none for a reader who takes nothing for half a minute", async () => {
    const platform = createVirtualPlatform({ seed: 1 });
    const { signal } = new AbortController();
    const pages = new Pages(bytes(10, 5));
    const room = pages.room(platform, signal, 10);
    await platform.advance(30_000);
    expect(await room).toBe(false);
  });
});
