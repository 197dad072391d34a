/** `GET /kafka`: a WebSocket that carries the Kafka protocol, as the wire's tunnel.ts says. */
import { Hono } from "hono";
import { StreamError } from "../../base/stream-error.ts";
import { kafkaQuery } from "../../wire/http/queries.ts";
import { checkQuery } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { protocolOf, upgradeRequired } from "./socket.ts";

export function kafkaTunnelApp(context: HttpContext, endpoints: Endpoints): Hono {
  const app = new Hono();
  endpoints.mount(app, "kafka", async (c) => {
    const { raw: request } = c.req;
    const { upgradeSocket, openKafka } = context;
    const { advertised, sasl } = checkQuery(kafkaQuery, request.url);
    const isAsked = request.headers.get("Upgrade")?.toLowerCase() === "websocket";
    if (!isAsked || upgradeSocket === undefined) return upgradeRequired();
    if (openKafka === undefined) {
      throw new StreamError("unsupported_version", "Cannot open a tunnel: Kafka is not served");
    }
    const protocol = protocolOf(c);
    const address = advertised === undefined ? ownAddress(request) : addressOf(advertised);
    const handler = await openKafka({ address, asksSasl: sasl === "on" });
    return upgradeSocket(request, { handler, protocol });
  });
  return app;
}

function addressOf(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host, port: Number(text.slice(colon + 1)) };
}

/** Where the request came to: what a client reaches who opens a tunnel whatever it is told. */
function ownAddress({ headers, url }: Request): { host: string; port: number } {
  const { protocol, hostname, port } = new URL(url);
  const named = URL.parse(`${protocol}//${headers.get("Host") ?? ""}`);
  const portText = named?.port ?? port;
  const host = named?.hostname ?? hostname;
  return { host, port: Number(portText) || (protocol === "https:" ? 443 : 80) };
}
