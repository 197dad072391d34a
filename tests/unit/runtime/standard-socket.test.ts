import { describe, expect, test } from "bun:test";
import { present } from "../../../src/base/assert.ts";
import type { MessageSocket, SocketHandler } from "../../../src/base/message-socket.ts";
import { joinSocket, type StandardSocket } from "../../../src/runtime/standard-socket.ts";

const MiB = 1024 * 1024;

type Listener = Parameters<StandardSocket["addEventListener"]>[1];

class FakeStandardSocket implements StandardSocket {
  readyState = 0;
  binaryType = "blob";
  readonly sent: unknown[] = [];
  readonly closes: unknown[] = [];
  readonly #listeners = new Map<string, Listener>();

  send(message: string | Uint8Array): void {
    this.sent.push(message);
  }

  close(...how: [number, string]): void {
    this.closes.push(how);
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, listener);
  }

  tell(type: string, data?: unknown): void {
    this.#listeners.get(type)?.({ data });
  }
}

function joined(socket: FakeStandardSocket, now?: () => number) {
  const told: unknown[] = [];
  let ours: MessageSocket | undefined;
  const handler: SocketHandler = {
    opened: (opened) => {
      ours = opened;
      told.push("opened");
    },
    received: (message) => void told.push(message),
    closed: () => void told.push("closed"),
  };
  joinSocket(socket, handler, now);
  return { told, ours: () => present(ours, "opened socket") };
}

describe("joinSocket", () => {
  test("opens when the socket does, or at once, and closes once", () => {
    const socket = new FakeStandardSocket();
    const { told } = joined(socket);
    expect(told).toEqual([]);
    socket.readyState = 1;
    socket.tell("open");
    socket.tell("message", "text");
    socket.tell("message", new Uint8Array([1, 2]).buffer);
    socket.tell("error");
    socket.tell("close");
    expect(told).toEqual(["opened", "text", new Uint8Array([1, 2]), "closed"]);
    expect(socket.binaryType).toBe("arraybuffer");
    const open = new FakeStandardSocket();
    open.readyState = 1;
    expect(joined(open).told).toEqual(["opened"]);
  });

  test("sends and closes only what is open", () => {
    const socket = new FakeStandardSocket();
    socket.readyState = 1;
    const ours = joined(socket).ours();
    ours.send("a");
    ours.close(1000, "done");
    socket.readyState = 3;
    ours.send("b");
    ours.close(1000, "again");
    expect([socket.sent, socket.closes]).toEqual([["a"], [[1000, "done"]]]);
  });

  test("counts what was sent since the client spoke, where the runtime tells nothing", () => {
    const socket = new FakeStandardSocket();
    socket.readyState = 1;
    let now = 5_000;
    const ours = joined(socket, () => now).ours();
    ours.send("1234");
    ours.send(new Uint8Array(2 * MiB - 4));
    expect(ours.bufferedBytes).toBe(2 * MiB);
    now += 500;
    expect(ours.bufferedBytes).toBe(1.5 * MiB);
    socket.tell("message", "more");
    expect(ours.bufferedBytes).toBe(0);
    ours.send("12");
    expect(ours.bufferedBytes).toBe(2);
    Object.assign(socket, { bufferedAmount: 77 });
    expect(ours.bufferedBytes).toBe(77);
  });

  test("gives up a client that is sent much and says nothing, where the runtime tells nothing", () => {
    for (const [tells, closes] of [
      [false, 1],
      [true, 0],
    ] as const) {
      const socket = new FakeStandardSocket();
      socket.readyState = 1;
      if (tells) Object.assign(socket, { bufferedAmount: 0 });
      const ours = joined(socket).ours();
      for (let sent = 0; sent < 32; sent++) ours.send(new Uint8Array(MiB));
      expect(socket.closes).toEqual([]);
      ours.send("x");
      expect(socket.closes).toHaveLength(closes);
    }
  });
});
