import { describe, expect, test } from "bun:test";
import type { MessageSocket } from "../../../src/base/message-socket.ts";
import { tunnel } from "../../../src/client/kafkajs-socket.ts";
import { relay } from "../../../src/runtime/relay.ts";
import { SocketDuplex } from "../../../src/runtime/socket-duplex.ts";
import * as wire from "../../../src/wire/http/tunnel.ts";

/** Two ends joined without a wire: what one sends the other has at once. */
function pair() {
  const [left, right] = [new SocketDuplex("left"), new SocketDuplex("right")];
  const sent: (string | number)[] = [];
  const socketTo = (peer: SocketDuplex, own: SocketDuplex): MessageSocket => ({
    bufferedBytes: 0,
    send(message) {
      sent.push(typeof message === "string" ? message : message.length);
      peer.received(typeof message === "string" ? message : message.slice());
    },
    close() {
      peer.closed();
      own.closed();
    },
  });
  left.opened(socketTo(right, left));
  right.opened(socketTo(left, right));
  return { left, right, sent };
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

async function readAll(duplex: SocketDuplex): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of duplex.incoming) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

describe("SocketDuplex", () => {
  test("carries what is longer than the window, in order, and ends with the peer", async () => {
    const { left, right } = pair();
    const reading = readAll(right);
    const content = bytes(3 * wire.tunnelWindowBytes + 7);
    await left.write([content.subarray(0, 5), content.subarray(5)]);
    left.close();
    expect(Buffer.compare(await reading, content)).toBe(0);
  });

  test("sends no more than the window to who takes nothing, and goes on when it takes", async () => {
    const { left, right, sent } = pair();
    let isWritten = false;
    const writing = left.write([bytes(wire.tunnelWindowBytes + 1)]).then(() => {
      isWritten = true;
    });
    await Bun.sleep(0);
    const bytesSent = sent.reduce<number>((sum, each) => sum + Number(each), 0);
    expect(bytesSent).toBe(wire.tunnelWindowBytes);
    expect(isWritten).toBe(false);
    let taken = 0;
    for await (const chunk of right.incoming) {
      taken += chunk.length;
      if (taken === wire.tunnelWindowBytes + 1) break;
    }
    await writing;
    expect(sent).toContain(String(wire.tunnelGrantBytes));
  });

  test("breaks on a peer that sends beyond the window", async () => {
    const { left } = pair();
    for (let index = 0; index < 16; index += 1) left.received(bytes(wire.tunnelMessageBytes));
    left.received(bytes(1));
    expect(readAll(left)).rejects.toThrow(/more bytes than the window/);
  });

  for (const text of ["0", "-5", "1e3", "hello", "1", "99999999"]) {
    test(`breaks on the text "${text}" while the window is whole`, async () => {
      const { left } = pair();
      left.received(text);
      expect(readAll(left)).rejects.toThrow(/grants no bytes/);
    });
  }

  test("a write fails when the socket has closed, and so does one that waits for the window", async () => {
    const { left } = pair();
    const waiting = left.write([bytes(wire.tunnelWindowBytes + 1)]);
    await Bun.sleep(0);
    left.closed();
    expect(waiting).rejects.toThrow(/closed/);
    expect(left.write([bytes(1)])).rejects.toThrow(/closed/);
  });

  test("a socket that never opens is no connection", async () => {
    const duplex = new SocketDuplex("nobody");
    duplex.closed();
    expect(duplex.ready).rejects.toThrow(/closed/);
  });
});

test("relay carries both ways and closes one end with the other", async () => {
  const [outer, inner] = [pair(), pair()];
  const carried = relay(outer.right, inner.left);
  const reading = readAll(inner.right);
  const back = readAll(outer.left);
  const content = bytes(2 * wire.tunnelWindowBytes);
  await outer.left.write([content]);
  await inner.right.write([content.subarray(0, 10)]);
  await Bun.sleep(0);
  outer.left.close();
  expect(Buffer.compare(await reading, content)).toBe(0);
  expect(await back).toEqual(content.slice(0, 10));
  await carried;
});

test("kafkajs's socket keeps to the same numbers", () => {
  expect(tunnel).toEqual({
    path: wire.tunnelPath,
    windowBytes: wire.tunnelWindowBytes,
    grantBytes: wire.tunnelGrantBytes,
    messageBytes: wire.tunnelMessageBytes,
  });
});
