import { describe, expect, test } from "bun:test";
import { readEvents, type ServerEvent } from "../../../src/client/event-stream.ts";

const text =
  ':\n\nretry: 1000\nid: a\n\nid: b\ndata: {"x":"ä"}\n\nevent: gap\r\ndata:1\r\ndata: 2\r\n\r\n' +
  "data\n\nid\ndata: last\r\runknown: 1\n\n";
const expected: ServerEvent[] = [
  { id: "a", name: "message", data: null },
  { id: "b", name: "message", data: '{"x":"ä"}' },
  { id: "b", name: "gap", data: "1\n2" },
  { id: "b", name: "message", data: "" },
  { id: "", name: "message", data: "last" },
];

async function read(chunks: readonly Uint8Array[]): Promise<ServerEvent[][]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  return await Array.fromAsync(readEvents(body), (events) => [...events]);
}

describe("readEvents", () => {
  const bytes = new TextEncoder().encode(text);

  test("reads ids, names, data and line ends of any kind, wherever the bytes are cut", async () => {
    expect((await read([bytes])).flat()).toEqual(expected);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const found = await read([bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(found.flat(), `cut at ${cut}`).toEqual(expected);
    }
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    expect((await read(single)).flat()).toEqual(expected);
  });

  test("an event without its end is none, and a comment is a chunk without events", async () => {
    const utf8 = new TextEncoder();
    expect(await read([utf8.encode(":\n\n"), utf8.encode("data: 1\n")])).toEqual([[], []]);
  });

  test("cancels the body when it is left early", async () => {
    let wasCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
      cancel() {
        wasCancelled = true;
      },
    });
    for await (const events of readEvents(body)) {
      expect(events).toHaveLength(1);
      break;
    }
    expect(wasCancelled).toBe(true);
  });
});
