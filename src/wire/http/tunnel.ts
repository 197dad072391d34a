/**
 * The byte stream of `/kafka`: the binary messages of a WebSocket, one after another; their borders
 * mean nothing. Runtimes read WebSockets into memory whether anybody takes what came or not, so
 * that not reading holds nobody back. Instead each side may send `tunnelWindowBytes`, and more when
 * the other says in a text message how many bytes more it has done with, in decimal: `262144`.
 */
export const tunnelPath = "/kafka";

/** What one side may send beyond what the other has said it has done with. */
export const tunnelWindowBytes = 1_048_576;
/** Said at the latest when so much has been done with: a quarter of the window. */
export const tunnelGrantBytes = 262_144;
/** The longest message that is sent; longer ones are taken. */
export const tunnelMessageBytes = 65_536;

/** Bytes that a text message grants; undefined: it grants none, and the stream is broken. */
export function grantedBytes(text: string): number | undefined {
  return /^[1-9]\d{0,6}$/.test(text) ? Number(text) : undefined;
}
