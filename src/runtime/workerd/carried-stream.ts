/**
 * Event streams of the front (ADR 62). A response that is open would keep the object that writes it
 * awake, and billed; so the front writes it, where waiting costs nothing, and the object says what
 * is to be written over a WebSocket, which rests while nothing comes.
 *
 * The socket takes credit, so that a slow client holds up its object and not the front's memory.
 */
import type { Timers } from "../../base/platform.ts";
import { silenceFrame } from "../../server/http/event-frame.ts";
import { eventStreamMediaType } from "../../wire/http/media-type.ts";

/** Silence after which the client is shown that the stream lives. */
const silenceMs = 15_000;
/** What may be on its way to the front, as far as sizes of records can be told beforehand. */
const windowBytes = 256 * 1024;
const firstCredit = 32;
const creditMax = 256;

const closed = 1000;

/** The front's end of the socket. */
interface CarryingSocket {
  accept(): void;
  send(message: string): void;
  close(code: number, reason: string): void;
  addEventListener(
    type: "message" | "close" | "error",
    listener: (event: { readonly data?: unknown }) => void,
  ): void;
}

/** Whether the request is for an event stream that an object may carry. */
export function asksForStream({ method, headers }: Request, pathname: string): boolean {
  if (method !== "GET" || headers.has("Upgrade")) return false;
  if (/^\/v1\/topics\/[^/]+\/stream$/.test(pathname)) return true;
  return pathname === "/v1/sql" && headers.get("Accept")?.includes(eventStreamMediaType) === true;
}

/** The request as its object is asked it. */
export function carryingRequest(request: Request): Request {
  const headers = new Headers(request.headers);
  headers.set("Upgrade", "websocket");
  return new Request(request.url, { headers, signal: request.signal });
}

/** The stream that `answer` carries; the answer itself when it carries none. */
export function carriedResponse(answer: Response, timers: Timers): Response {
  const { webSocket } = answer as Response & { webSocket?: CarryingSocket | null };
  if (webSocket === undefined || webSocket === null) return answer;
  const headers = new Headers(answer.headers);
  for (const name of ["Upgrade", "Connection"]) headers.delete(name);
  return new Response(carriedBody(webSocket, timers), { headers });
}

export function carriedBody(socket: CarryingSocket, timers: Timers): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder();
  const credit = new Credit();
  let waiting: string[] = [];
  let isOver = false;
  let hasLeft = false;
  let wake = () => {};
  socket.addEventListener("message", ({ data }) => {
    const text = String(data);
    credit.came(text);
    waiting.push(text);
    wake();
  });
  const end = () => {
    isOver = true;
    wake();
  };
  socket.addEventListener("close", end);
  socket.addEventListener("error", end);
  socket.accept();
  const more = () =>
    new Promise<void>((resolve) => {
      const timer = timers.after(silenceMs, () => {
        waiting.push(silenceFrame);
        wake();
      });
      wake = () => {
        timer.cancel();
        resolve();
      };
    });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const granted = isOver ? 0 : credit.grant();
        if (granted > 0) socket.send(JSON.stringify({ credit: granted }));
        if (waiting.length === 0 && !isOver) await more();
        if (hasLeft) return;
        if (waiting.length > 0) controller.enqueue(utf8.encode(waiting.join("")));
        else controller.close();
        waiting = [];
      },
      cancel() {
        hasLeft = true;
        isOver = true;
        wake();
        socket.close(closed, "the client has left");
      },
    },
    { highWaterMark: 0 },
  );
}

/** How many events the object may send. */
class Credit {
  #left = 0;
  #events = 0;
  #length = 0;

  came(text: string): void {
    // The stream's first id costs none.
    if (!/^data: /m.test(text)) return;
    this.#left -= 1;
    this.#events += 1;
    this.#length += text.length;
  }

  /** What to give now that the client has taken all there was; seldom, since each is a message. */
  grant(): number {
    const fits = Math.floor((windowBytes * this.#events) / Math.max(1, this.#length));
    const wanted = this.#events === 0 ? firstCredit : Math.max(1, Math.min(creditMax, fits));
    if (this.#left > wanted / 2) return 0;
    const granted = wanted - this.#left;
    this.#left = wanted;
    return granted;
  }
}
