/** HTTP over `Bun.serve`. */
import { type HttpListener, type HttpListenOptions, idleSecondsMax } from "../http-listener.ts";

/** @throws the runtime's own error (`code` EADDRINUSE, …) when the address cannot be bound. */
export async function listenHttp(options: HttpListenOptions): Promise<HttpListener> {
  const server = Bun.serve({
    hostname: options.host,
    port: options.port,
    idleTimeout: idleSecondsMax,
    maxRequestBodySize: options.requestBytesMax,
    // Else Bun shares the port with another process outside of development, instead of failing.
    reusePort: false,
    // Without it Bun would render the page of a crash, source code included.
    development: false,
    fetch: (request) => options.fetch(request),
  });
  return {
    port: server.port ?? options.port,
    drain: () => server.stop(false),
    close: () => server.stop(true),
  };
}
