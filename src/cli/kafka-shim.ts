/**
 * A local port behind which a worker's `/kafka` is: each TCP connection gets a WebSocket of its own
 * and bytes pass unchanged. The worker is told the port's address in the handshake, and names it to
 * clients as the one broker, so that nothing of the protocol is read or written here.
 */
import type { ByteDuplex } from "../base/byte-duplex.ts";
import { type HostPort, showHostPort } from "../runtime/node/option-kinds.ts";
import { relay } from "../runtime/relay.ts";
import { SocketDuplex } from "../runtime/socket-duplex.ts";
import { joinSocket, type StandardSocket } from "../runtime/standard-socket.ts";
import { tunnelPath } from "../wire/http/tunnel.ts";
import { commandError, problemSchema } from "./api-client.ts";
import { CommandError } from "./command.ts";

export interface ShimTarget {
  /** `wss://`, `ws://`, `https://` or `http://`; without a path that of the tunnel is meant. */
  readonly url: string;
  readonly token: string | undefined;
  /** Where clients find the shim. */
  readonly advertised: HostPort;
}

export class KafkaShim {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ url, token, advertised }: ShimTarget) {
    this.#url = new URL(url);
    if (this.#url.pathname === "/") this.#url.pathname = tunnelPath;
    this.#url.searchParams.set("advertised", showHostPort(advertised));
    this.#headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  }

  /**
   * Asks the worker as a tunnel would, without opening one.
   * @throws CommandError that says why there will be none.
   */
  async check(): Promise<void> {
    const { href, origin } = withScheme(this.#url, "http");
    let response: Response;
    try {
      response = await fetch(href, { headers: this.#headers });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CommandError("unreachable", `Cannot reach ${origin}: ${reason}`);
    }
    const body: unknown = await response.json().catch(() => undefined);
    // The worker has nothing against us but that this is no WebSocket.
    if (response.status === 426) return;
    const problem = problemSchema.safeParse(body);
    if (problem.success) throw commandError(problem.data);
    throw new CommandError("unexpected_answer", `${href} answered ${response.status}`);
  }

  /**
   * Carries a client's connection to its end.
   * @throws CommandError when there is no tunnel; the connection is closed by then.
   */
  async carry(client: ByteDuplex): Promise<void> {
    const tunnel = new SocketDuplex(this.#url.origin);
    const { href } = withScheme(this.#url, "ws");
    const options = { headers: this.#headers } as unknown as string[];
    joinSocket(new WebSocket(href, options) as unknown as StandardSocket, tunnel);
    try {
      await tunnel.ready;
    } catch {
      client.close();
      // A WebSocket does not say why it was refused; the same request without one does.
      await this.check();
      throw new CommandError("unreachable", `Cannot open a WebSocket to ${this.#url.origin}`);
    }
    await relay(client, tunnel);
  }
}

/** The same place for a WebSocket or for a request. */
function withScheme(url: URL, scheme: "ws" | "http"): URL {
  const isSecure = url.protocol === "wss:" || url.protocol === "https:";
  return new URL(`${scheme}${isSecure ? "s" : ""}${url.href.slice(url.protocol.length - 1)}`);
}
