/** Hash functions: hexadecimal digits of the digest of the text's UTF-8 bytes. */
import { stringType } from "../types/show-type.ts";
import { define, type FunctionDefinition } from "./definition.ts";
import { md5, type Sha2Bits, sha1, sha2 } from "./digest.ts";
import { type HostFunction, number, strict, text } from "./host-function.ts";

const encoder = new TextEncoder();

const digests: readonly (readonly [name: string, digest: (message: Uint8Array) => string])[] = [
  ["MD5", md5],
  ["SHA1", sha1],
  ["SHA224", (message) => sha2(message, 224)],
  ["SHA256", (message) => sha2(message, 256)],
  ["SHA384", (message) => sha2(message, 384)],
  ["SHA512", (message) => sha2(message, 512)],
];

export const hashFunctions: readonly FunctionDefinition[] = [
  ...digests.map(([name]) =>
    define({
      group: "hash",
      names: name,
      syntax: `${name}(string)`,
      doc: `${name} as hexadecimal digits.`,
      takes: ["string"],
      gives: stringType,
    }),
  ),
  define({
    group: "hash",
    names: "SHA2",
    syntax: "SHA2(string, bits)",
    doc: "SHA-2 of 224, 256, 384 or 512 bits as hexadecimal digits; NULL for other lengths.",
    takes: ["string", "int"],
    gives: stringType,
    nullable: "always",
  }),
];

function isSha2Bits(bits: number): bits is Sha2Bits {
  return bits === 224 || bits === 256 || bits === 384 || bits === 512;
}

export const hashHosts: readonly HostFunction[] = [
  ...digests.map(([name, digest]) =>
    strict(`mr_${name.toLowerCase()}`, 1, (value) => digest(encoder.encode(text(value)))),
  ),
  strict("mr_sha2", 2, (value, bits) => {
    const wanted = number(bits) === 0 ? 256 : number(bits);
    return isSha2Bits(wanted) ? sha2(encoder.encode(text(value)), wanted) : null;
  }),
];
