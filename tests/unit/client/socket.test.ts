/** What the client does over a WebSocket; the rest is seen on real ones (tests/runtime/client.test.ts). */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { connect } from "../../../src/client/connection.ts";
import { consume } from "../../../src/client/consume.ts";
import { hastyPlatform } from "../../support/client-place.ts";

const scope = globalThis as unknown as { WebSocket: unknown };
const real = scope.WebSocket;
const sockets: QuietSocket[] = [];

/** Opens, and says the place; from then on only what it is asked, if it answers. */
class QuietSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: string }) => void) | null = null;
  onclose: null = null;
  onerror: null = null;
  answers = true;
  isClosed = false;
  readonly questions: string[] = [];
  constructor() {
    sockets.push(this);
    setTimeout(() => {
      this.onopen?.();
      this.onmessage?.({ data: '{"cursor":"there"}' });
    });
  }
  send(text: string): void {
    if (text !== "{}") return;
    this.questions.push(text);
    if (this.answers) setTimeout(() => this.onmessage?.({ data: "{}" }));
  }
  close(): void {
    this.isClosed = true;
  }
}

beforeEach(() => {
  sockets.splice(0);
  scope.WebSocket = QuietSocket;
});
afterEach(() => {
  scope.WebSocket = real;
});

test("a server that says nothing is asked, and left when it does not answer", async () => {
  const left = new AbortController();
  const troubles: string[] = [];
  const options = {
    ...{ transport: "websocket" as const, silenceMs: 20, signal: left.signal },
    onTrouble: ({ message }: Error) => troubles.push(message),
  };
  const link = connect("http://localhost:8080", { platform: hastyPlatform });
  const next = consume(link, "t", options).next();
  while ((sockets[0]?.questions.length ?? 0) < 3) await Bun.sleep(1);
  expect([sockets.length, troubles]).toEqual([1, []]);
  const [first] = sockets;
  if (first !== undefined) first.answers = false;
  while (sockets.length < 2) await Bun.sleep(1);
  expect(first?.isClosed).toBe(true);
  expect(troubles).toHaveLength(1);
  left.abort();
  expect((await next).done).toBe(true);
});
