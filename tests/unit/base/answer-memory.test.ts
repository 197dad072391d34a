import { describe, expect, test } from "bun:test";
import { AnswerMemory } from "../../../src/base/answer-memory.ts";
import type { Timers } from "../../../src/base/platform.ts";

const MiB = 1024 * 1024;

/** Timers that go off when the test says so. */
function manualTimers() {
  const due: (() => void)[] = [];
  const timers: Timers = {
    after(_delayMs, callback) {
      due.push(callback);
      return { cancel: () => void due.splice(due.indexOf(callback), 1) };
    },
    sleep: () => Promise.resolve(),
  };
  return { timers, due };
}

function reserving(memory: AnswerMemory, bytesMax = 50 * MiB) {
  const { timers, due } = manualTimers();
  const options = { bytesMax, batchBytesMax: MiB, waitMsMax: 1, timers, signal: undefined };
  return { room: memory.reserve(options), due };
}

describe("AnswerMemory", () => {
  test("reservations of fetches that come at once stay within the capacity", async () => {
    const memory = new AnswerMemory(16 * MiB);
    const rooms = Array.from({ length: 500 }, () => reserving(memory));
    await Promise.resolve();
    expect(memory.waitingBytes).toBeLessThanOrEqual(16 * MiB);
    for (const { due } of rooms) for (const over of due) over();
    const granted = (await Promise.all(rooms.map(({ room }) => room))).filter((room) => room);
    expect(granted.length).toBeGreaterThan(10);
    expect(memory.waitingBytes).toBeLessThanOrEqual(16 * MiB);
  });

  test("shares shrink to a floor as answers pile up", async () => {
    const memory = new AnswerMemory(16 * MiB);
    const first = await reserving(memory).room;
    expect(first?.bytesMax).toBe(2 * MiB);
    memory.hold({}, 12 * MiB);
    const last = await reserving(memory).room;
    expect(last?.bytesMax).toBe(256 * 1024);
    expect(last?.reservedBytes).toBe(MiB);
  });

  test("what an answer holds counts by its buffers until it is released, once", async () => {
    const memory = new AnswerMemory(16 * MiB);
    const room = await reserving(memory).room;
    const answer = { chunks: [new Uint8Array(new ArrayBuffer(3000), 10, 100)] };
    if (room !== undefined) memory.settle(room, [answer, { chunks: [] }]);
    expect(memory.waitingBytes).toBe(3000);
    memory.release([answer]);
    memory.release([answer]);
    expect(memory.waitingBytes).toBe(0);
  });

  test("a fetch that waits gets the room that another gives back", async () => {
    const memory = new AnswerMemory(4 * MiB);
    const full = {};
    memory.hold(full, 5 * MiB);
    expect(memory.hasRoom).toBe(false);
    const { room } = reserving(memory);
    memory.release([full]);
    expect((await room)?.bytesMax).toBe(64 * 1024);
  });

  test("a fetch whose client left takes nothing", async () => {
    const memory = new AnswerMemory(4 * MiB);
    const full = {};
    memory.hold(full, 5 * MiB);
    const left = new AbortController();
    const { timers } = manualTimers();
    const options = { bytesMax: MiB, batchBytesMax: MiB, waitMsMax: 9, timers };
    const room = memory.reserve({ ...options, signal: left.signal });
    left.abort();
    expect(await room).toBeUndefined();
    memory.release([full]);
    expect(memory.waitingBytes).toBe(0);
  });
});
