/**
 * Stands in the Worker's bundle for js-base64, of which @libsql/client uses these two: workerd has
 * them built in.
 */
export const Base64 = {
  toUint8Array: (text: string): Uint8Array => Uint8Array.fromBase64(text),
  fromUint8Array: (bytes: Uint8Array): string => bytes.toBase64(),
};
