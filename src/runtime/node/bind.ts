/** Addresses to listen on: binding them, and how others reach what is bound. */
import { hostname } from "node:os";
import { StartupError } from "../startup-error.ts";
import { type HostPort, showHostPort } from "./option-kinds.ts";

/**
 * Binds a listener.
 * @throws StartupError that says which flag chooses another address.
 */
export async function bind<T>(
  what: "HTTP" | "Kafka",
  address: HostPort,
  listen: () => Promise<T>,
): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    throw bindError(what, address, error);
  }
}

function bindError(what: "HTTP" | "Kafka", address: HostPort, cause: unknown): StartupError {
  const flag = what === "HTTP" ? "--http" : "--kafka";
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const place = showHostPort(address);
  // Deno says it by the error's name.
  if (code === "EADDRINUSE" || (cause instanceof Error && cause.name === "AddrInUse")) {
    return new StartupError(
      "port_in_use",
      `Cannot listen for ${what} on ${place}: port ${address.port} is in use`,
      `Stop the program that has it, or choose another with ${flag} HOST:PORT`,
      { cause },
    );
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StartupError(
    "cannot_listen",
    `Cannot listen for ${what} on ${place}: ${reason}`,
    `Choose an address of this machine with ${flag} HOST:PORT`,
    { cause },
  );
}

/** A wildcard address is where one listens, not where one is reached. */
export function reachable(host: string): string {
  return host === "0.0.0.0" || host === "::" ? hostname() : host;
}
