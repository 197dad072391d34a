import { describe, expect, test } from "bun:test";
import { InboxRoom, TcpInbox } from "../../../src/runtime/tcp-inbox.ts";

const KiB = 1024;

/** A peer that sends whenever it may. */
class EagerSource {
  readonly inbox: TcpInbox;
  isPaused = false;
  sentBytes = 0;

  constructor(room: InboxRoom) {
    this.inbox = new TcpInbox(this, room);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  send(bytes: number): void {
    if (this.isPaused) return;
    this.sentBytes += bytes;
    this.inbox.push(new Uint8Array(bytes));
  }
}

describe("TcpInbox", () => {
  test("connections together hold no more than their room and one chunk", () => {
    const room = new InboxRoom(1024 * KiB);
    const sources = Array.from({ length: 500 }, () => new EagerSource(room));
    for (let round = 0; round < 10; round++) for (const source of sources) source.send(64 * KiB);
    expect(room.bytes).toBeLessThanOrEqual((1024 + 64) * KiB);
    expect(sources.every(({ isPaused }) => isPaused)).toBe(true);
    expect(new EagerSource(room).isPaused).toBe(true);
  });

  test("a chunk counts until its consumer asks for the next one", async () => {
    const room = new InboxRoom(100 * KiB);
    const source = new EagerSource(room);
    const other = new EagerSource(room);
    source.send(90 * KiB);
    source.send(20 * KiB);
    expect(other.isPaused).toBe(true);
    const chunks = source.inbox[Symbol.asyncIterator]();
    await chunks.next();
    expect(room.bytes).toBe(110 * KiB);
    await chunks.next();
    expect(room.bytes).toBe(20 * KiB);
    expect(other.isPaused).toBe(false);
    await chunks.return?.(undefined);
    expect(room.bytes).toBe(0);
  });

  test("what is expected is read however full the room is, and does not count", () => {
    const room = new InboxRoom(100 * KiB);
    const source = new EagerSource(room);
    new EagerSource(room).send(200 * KiB);
    expect(source.isPaused).toBe(true);
    source.inbox.expect(50 * KiB);
    expect(source.isPaused).toBe(false);
    source.send(30 * KiB);
    expect(room.bytes).toBe(200 * KiB);
    source.send(30 * KiB);
    expect(room.bytes).toBe(210 * KiB);
    expect(source.isPaused).toBe(true);
  });

  test("a connection that goes gives its room back, whatever the consumer still has", async () => {
    const room = new InboxRoom(100 * KiB);
    const source = new EagerSource(room);
    source.send(60 * KiB);
    source.send(60 * KiB);
    const chunks = source.inbox[Symbol.asyncIterator]();
    await chunks.next();
    source.inbox.discard();
    expect(room.bytes).toBe(0);
    expect((await chunks.next()).done).toBe(true);
    expect(room.bytes).toBe(0);
    expect(room.isFull).toBe(false);
  });

  test("a consumer that waits keeps nothing of what it had", async () => {
    const sources = Array.from({ length: 20 }, () => new EagerSource(new InboxRoom(1024 * KiB)));
    const seen: WeakRef<Uint8Array>[] = [];
    const waiting = sources.map(async ({ inbox }) => {
      for await (const chunk of inbox) seen.push(new WeakRef(chunk));
    });
    for (const source of sources) source.send(64 * KiB);
    await new Promise((resolve) => setImmediate(resolve));
    Bun.gc(true);
    // The collector takes what looks like an address on the stack for one.
    expect(seen).toHaveLength(20);
    expect(seen.filter((each) => each.deref() !== undefined).length).toBeLessThan(5);
    for (const { inbox } of sources) inbox.end();
    await Promise.all(waiting);
  });
});
