/** Characters as codes, bytes and URLs, and what the functions of regular expressions do. */
import { bytes, flag, type HostFunction, integer, number, strict, text } from "./host-function.ts";
import { compilePattern } from "./regular-expression.ts";
import { RowError, shown } from "./row-error.ts";

const encoder = new TextEncoder();

function charset(name: string): string {
  const known = name.toUpperCase();
  if (["UTF-8", "US-ASCII", "ISO-8859-1", "UTF-16BE", "UTF-16LE", "UTF-16"].includes(known)) {
    return known;
  }
  throw new RowError(`There is no charset ${shown(name)}`);
}

function encode(value: string, name: string): Uint8Array {
  const known = charset(name);
  if (known === "UTF-8") return encoder.encode(value);
  if (!known.startsWith("UTF-16")) {
    const limit = known === "US-ASCII" ? 0x80 : 0x100;
    return Uint8Array.from(value, (character) => {
      const code = character.codePointAt(0) ?? 0;
      return code < limit ? code : 0x3f;
    });
  }
  const mark = known === "UTF-16" ? "\uFEFF" : "";
  const units = mark + value;
  const result = new DataView(new ArrayBuffer(units.length * 2));
  for (let index = 0; index < units.length; index++) {
    result.setUint16(index * 2, units.charCodeAt(index), known === "UTF-16LE");
  }
  return new Uint8Array(result.buffer);
}

function decode(value: Uint8Array, name: string): string {
  const known = charset(name);
  if (known === "UTF-8") return new TextDecoder("utf-8", { ignoreBOM: true }).decode(value);
  if (!known.startsWith("UTF-16")) {
    const limit = known === "US-ASCII" ? 0x80 : 0x100;
    return Array.from(value, (code) => (code < limit ? String.fromCharCode(code) : "\uFFFD")).join(
      "",
    );
  }
  const hasMark = known === "UTF-16" && value.length >= 2;
  const isLittle = known === "UTF-16LE" || (hasMark && value[0] === 0xff && value[1] === 0xfe);
  const isMarked = hasMark && (isLittle || (value[0] === 0xfe && value[1] === 0xff));
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  let result = "";
  for (let index = isMarked ? 2 : 0; index + 1 < value.length; index += 2) {
    result += String.fromCharCode(view.getUint16(index, isLittle));
  }
  return result;
}

function fromBase64(value: string): string {
  try {
    const raw = Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(raw);
  } catch {
    throw new RowError(`${shown(value)} is not Base64`);
  }
}

function toBase64(value: string): string {
  return btoa(Array.from(encoder.encode(value), (byte) => String.fromCharCode(byte)).join(""));
}

function urlEncode(value: string): string {
  return encodeURIComponent(value)
    .replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}

function urlDecode(value: string): string | null {
  try {
    return decodeURIComponent(value.replaceAll("+", " "));
  } catch {
    return null;
  }
}

/** Every match from left to right; an empty one moves on by a character. */
function* matchesOf(value: string, pattern: string): Generator<RegExpExecArray> {
  const compiled = compilePattern(pattern);
  const each = new RegExp(compiled.source, `${compiled.flags}g`);
  for (let match = each.exec(value); match !== null; match = each.exec(value)) {
    yield match;
    if (match[0] === "")
      each.lastIndex += (value.codePointAt(each.lastIndex) ?? 0) > 0xffff ? 2 : 1;
  }
}

function replaceMatches(value: string, pattern: string, replacement: string): string {
  let result = "";
  let position = 0;
  for (const match of matchesOf(value, pattern)) {
    result += value.slice(position, match.index) + replacement;
    position = match.index + match[0].length;
  }
  return result + value.slice(position);
}

function extract(value: string, pattern: string, group: number): string | null {
  const match = compilePattern(pattern).exec(value);
  if (match === null || group < 0) return null;
  if (group >= match.length) {
    throw new RowError(`The regular expression ${shown(pattern)} has no group ${group}`);
  }
  return match[group] ?? null;
}

const patternHosts: readonly HostFunction[] = [
  strict("mr_regexp", 2, (value, pattern) => flag(compilePattern(text(pattern)).test(text(value)))),
  strict("mr_regexp_replace", 3, (value, pattern, replacement) =>
    replaceMatches(text(value), text(pattern), text(replacement)),
  ),
  strict("mr_regexp_extract", -1, (value, pattern, group = 0n) =>
    extract(text(value), text(pattern), number(group)),
  ),
  strict("mr_regexp_count", 2, (value, pattern) => {
    let count = 0n;
    for (const _ of matchesOf(text(value), text(pattern))) count += 1n;
    return count;
  }),
  strict("mr_regexp_instr", 2, (value, pattern) => {
    const match = compilePattern(text(pattern)).exec(text(value));
    return match === null ? 0n : BigInt([...text(value).slice(0, match.index)].length + 1);
  }),
  strict("mr_regexp_substr", 2, (value, pattern) => extract(text(value), text(pattern), 0)),
];

const codeHosts: readonly HostFunction[] = [
  strict("mr_ascii", 1, (value) => {
    const [first = 0] = encoder.encode(text(value).slice(0, 2));
    return BigInt(first > 127 ? first - 256 : first);
  }),
  strict("mr_chr", 1, (value) =>
    integer(value) < 0n ? "" : String.fromCharCode(Number(BigInt.asUintN(8, integer(value)))),
  ),
  strict("mr_to_base64", 1, (value) => toBase64(text(value))),
  strict("mr_from_base64", 1, (value) => fromBase64(text(value))),
  strict("mr_encode", 2, (value, name) => encode(text(value), text(name))),
  strict("mr_decode", 2, (value, name) => decode(bytes(value), text(name))),
  strict("mr_url_encode", 1, (value) => urlEncode(text(value))),
  strict("mr_url_decode", 1, (value) => urlDecode(text(value))),
];

export const encodingHosts: readonly HostFunction[] = [...patternHosts, ...codeHosts];
