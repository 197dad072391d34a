import type { ByteDuplex } from "../base/byte-duplex.ts";
import type { OpenKafka } from "../server/http/context.ts";
import { singleBroker } from "../server/kafka/cluster-view.ts";
import type { KafkaContext } from "../server/kafka/context.ts";
import { SocketDuplex } from "./socket-duplex.ts";

/**
 * Serves Kafka connections that come through `/kafka`. Whoever opened one has shown the token, so
 * that SASL asks for it again only where the handshake says so: when the tunnel is another's.
 */
export function kafkaTunnels(
  context: KafkaContext,
  serve: (duplex: ByteDuplex, context: KafkaContext) => void,
): OpenKafka {
  return ({ address, asksSasl }) => {
    const duplex = new SocketDuplex("websocket:0");
    const settings = asksSasl ? context.settings : { ...context.settings, token: null };
    const cluster = singleBroker(context.log, address);
    return {
      opened(socket) {
        duplex.opened(socket);
        serve(duplex, { ...context, settings, cluster });
      },
      received: (message) => duplex.received(message),
      closed: () => duplex.closed(),
    };
  };
}
