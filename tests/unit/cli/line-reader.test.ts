import { expect, test } from "bun:test";
import { type BatchLimit, LineReader } from "../../../src/cli/line-reader.ts";

const utf8 = new TextEncoder();

async function* chunksOf(...texts: string[]): AsyncGenerator<Uint8Array, void> {
  for (const text of texts) yield utf8.encode(text);
}

async function linesOf(chunks: AsyncIterable<Uint8Array>, limit: BatchLimit): Promise<string[][]> {
  const reader = new LineReader(chunks);
  const batches: string[][] = [];
  for (let batch = await reader.take(limit); batch; batch = await reader.take(limit)) {
    batches.push(batch.map((line) => new TextDecoder().decode(line.bytes)));
  }
  return batches;
}

const wide = { lines: 1000, bytes: 1_000_000 };

test("LineReader joins lines that chunks cut anywhere", async () => {
  const text = "alpha\nbeta\r\n\ngamma";
  for (let cut = 0; cut <= text.length; cut++) {
    const batches = await linesOf(chunksOf(text.slice(0, cut), text.slice(cut)), wide);
    expect(batches.flat()).toEqual(["alpha", "beta", "", "gamma"]);
  }
});

test("LineReader ends without a line after the last line feed", async () => {
  expect((await linesOf(chunksOf("a\n"), wide)).flat()).toEqual(["a"]);
  expect(await linesOf(chunksOf(""), wide)).toEqual([]);
});

test("LineReader.take keeps both limits, and gives a line above them alone", async () => {
  const byLines = await linesOf(chunksOf("a\nb\nc\n"), { lines: 2, bytes: 100 });
  expect(byLines).toEqual([["a", "b"], ["c"]]);
  const byBytes = await linesOf(chunksOf("aa\nbb\nlong line\nc\n"), { lines: 9, bytes: 4 });
  expect(byBytes).toEqual([["aa", "bb"], ["long line"], ["c"]]);
});

test("LineReader says how far the input is read", async () => {
  const reader = new LineReader(chunksOf("ab\nc\n", "d"));
  const seen: number[] = [];
  for (let batch = await reader.take(wide); batch; batch = await reader.take(wide)) {
    seen.push(...batch.map((line) => line.inputBytes));
  }
  expect(seen).toEqual([3, 5, 6]);
});

test("LineReader.take throws what the input threw, after the lines before it", async () => {
  async function* broken(): AsyncGenerator<Uint8Array, void> {
    yield utf8.encode("kept\n");
    throw new Error("the pipe broke");
  }
  const reader = new LineReader(broken());
  expect(await reader.take(wide)).toHaveLength(1);
  expect(reader.take(wide)).rejects.toThrow("the pipe broke");
});

test("LineReader stops reading ahead of a slow taker", async () => {
  let readBytes = 0;
  async function* endless(): AsyncGenerator<Uint8Array, void> {
    for (let round = 0; round < 64; round++) {
      readBytes += 1_048_576;
      yield new Uint8Array(1_048_576).fill(0x0a, 1_048_575);
    }
  }
  const reader = new LineReader(endless());
  await reader.take({ lines: 1, bytes: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(readBytes).toBeLessThan(16 * 1_048_576);
});
