/**
 * MD5 (RFC 1321) and SHA (FIPS 180-4), bytewise and synchronous: SQLite calls functions in the
 * middle of a statement, where the Web's asynchronous digests cannot be awaited.
 */

/** The message with its padding: a one bit, zeros, the length in bits. */
function padded(message: Uint8Array, blockBytes: number, isLittle: boolean): DataView {
  const lengthBytes = blockBytes / 8;
  const total = Math.ceil((message.length + 1 + lengthBytes) / blockBytes) * blockBytes;
  const block = new Uint8Array(total);
  block.set(message);
  block[message.length] = 0x80;
  const view = new DataView(block.buffer);
  view.setBigUint64(
    isLittle ? total - lengthBytes : total - 8,
    BigInt(message.length) * 8n,
    isLittle,
  );
  return view;
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

const md5Shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];

export function md5(message: Uint8Array): string {
  const view = padded(message, 64, true);
  let state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let start = 0; start < view.byteLength; start += 64) {
    let [a = 0, b = 0, c = 0, d = 0] = state;
    for (let step = 0; step < 64; step++) {
      const round = step >> 4;
      const mix = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round] ?? 0;
      const word = [step, 5 * step + 1, 3 * step + 5, 7 * step][round] ?? 0;
      const constant = Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32) | 0;
      const sum = (a + mix + constant + view.getUint32(start + (word % 16) * 4, true)) | 0;
      const shift = md5Shifts[round * 4 + (step % 4)] ?? 0;
      [a, d, c, b] = [d, c, b, (b + rotateLeft(sum, shift)) | 0];
    }
    state = [a, b, c, d].map((value, index) => (value + (state[index] ?? 0)) | 0);
  }
  return hexWords(state, true);
}

export function sha1(message: Uint8Array): string {
  const view = padded(message, 64, false);
  let state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  for (let start = 0; start < view.byteLength; start += 64) {
    const words = Array.from({ length: 16 }, (_, index) => view.getInt32(start + index * 4));
    for (let index = 16; index < 80; index++) {
      const mixed = at(words, index - 3) ^ at(words, index - 8) ^ at(words, index - 14);
      words.push(rotateLeft(mixed ^ at(words, index - 16), 1));
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
    for (let step = 0; step < 80; step++) {
      const round = Math.floor(step / 20);
      const mix = round === 0 ? (b & c) | (~b & d) : majorityOrParity(round, b, c, d);
      const constant = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6][round] ?? 0;
      const sum = (rotateLeft(a, 5) + mix + e + constant + at(words, step)) | 0;
      [e, d, c, b, a] = [d, c, rotateLeft(b, 30), a, sum];
    }
    state = [a, b, c, d, e].map((value, index) => (value + (state[index] ?? 0)) | 0);
  }
  return hexWords(state, false);
}

function majorityOrParity(round: number, b: number, c: number, d: number): number {
  return round === 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
}

function at(words: readonly number[], index: number): number {
  return words[index] ?? 0;
}

function hexWords(words: readonly number[], isLittle: boolean): string {
  const view = new DataView(new ArrayBuffer(words.length * 4));
  for (const [index, word] of words.entries()) view.setInt32(index * 4, word, isLittle);
  return hex(new Uint8Array(view.buffer));
}

function hex(value: Uint8Array): string {
  return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const mask64 = (1n << 64n) - 1n;

/** One algorithm for both word sizes; the constants are fractions of roots of primes. */
interface Sha2 {
  readonly wordBits: 32 | 64;
  readonly rounds: number;
  readonly sums: readonly [number, number, number, number, number, number];
  readonly sigmas: readonly [number, number, number, number, number, number];
}

const sha2Of32: Sha2 = {
  wordBits: 32,
  rounds: 64,
  sums: [2, 13, 22, 6, 11, 25],
  sigmas: [7, 18, 3, 17, 19, 10],
};
const sha2Of64: Sha2 = {
  wordBits: 64,
  rounds: 80,
  sums: [28, 34, 39, 14, 18, 41],
  sigmas: [1, 8, 7, 19, 61, 6],
};

const primes: bigint[] = [];
for (let candidate = 2n; primes.length < 80; candidate++) {
  if (primes.every((prime) => candidate % prime !== 0n)) primes.push(candidate);
}

/** The first `bits` bits of the fraction of a prime's square or cube root. */
function rootFraction(prime: bigint, degree: 2n | 3n, bits: number): bigint {
  const scaled = prime << (degree * BigInt(bits));
  let low = 0n;
  let high = 1n << BigInt(bits + 12);
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** degree <= scaled) low = middle;
    else high = middle;
  }
  return low & ((1n << BigInt(bits)) - 1n);
}

const roundConstants = new Map<number, readonly bigint[]>();

function constantsOf({ wordBits, rounds }: Sha2): readonly bigint[] {
  const known = roundConstants.get(wordBits);
  if (known !== undefined) return known;
  const made = primes.slice(0, rounds).map((prime) => rootFraction(prime, 3n, wordBits));
  roundConstants.set(wordBits, made);
  return made;
}

export type Sha2Bits = 224 | 256 | 384 | 512;

/** SHA-224 begins with the second halves of SHA-384's words. */
function initialState(bits: Sha2Bits): bigint[] {
  if (bits === 256) return primes.slice(0, 8).map((prime) => rootFraction(prime, 2n, 32));
  if (bits === 512) return primes.slice(0, 8).map((prime) => rootFraction(prime, 2n, 64));
  const words = primes.slice(8, 16).map((prime) => rootFraction(prime, 2n, 64));
  return bits === 384 ? words : words.map((word) => word & 0xffffffffn);
}

export function sha2(message: Uint8Array, bits: Sha2Bits): string {
  const variant = bits > 256 ? sha2Of64 : sha2Of32;
  const { wordBits, rounds, sums, sigmas } = variant;
  const mask = wordBits === 64 ? mask64 : 0xffffffffn;
  const constants = constantsOf(variant);
  const turn = (x: bigint, by: number) => (x >> BigInt(by)) | ((x << BigInt(wordBits - by)) & mask);
  const blockBytes = wordBits * 2;
  const view = padded(message, blockBytes, false);
  let state = initialState(bits);
  for (let start = 0; start < view.byteLength; start += blockBytes) {
    const words: bigint[] = [];
    const word = (index: number) => words[index] ?? 0n;
    for (let index = 0; index < rounds; index++) {
      if (index < 16) {
        const position = start + (index * wordBits) / 8;
        words.push(
          wordBits === 64 ? view.getBigUint64(position) : BigInt(view.getUint32(position)),
        );
        continue;
      }
      const old = word(index - 15);
      const recent = word(index - 2);
      const low = turn(old, sigmas[0]) ^ turn(old, sigmas[1]) ^ (old >> BigInt(sigmas[2]));
      const high =
        turn(recent, sigmas[3]) ^ turn(recent, sigmas[4]) ^ (recent >> BigInt(sigmas[5]));
      words.push((word(index - 16) + low + word(index - 7) + high) & mask);
    }
    let [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n, g = 0n, h = 0n] = state;
    for (let index = 0; index < rounds; index++) {
      const big1 = turn(e, sums[3]) ^ turn(e, sums[4]) ^ turn(e, sums[5]);
      const choice = (e & f) ^ (~e & mask & g);
      const first = h + big1 + choice + (constants[index] ?? 0n) + word(index);
      const big0 = turn(a, sums[0]) ^ turn(a, sums[1]) ^ turn(a, sums[2]);
      const second = big0 + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) & mask, c, b, a, (first + second) & mask];
    }
    state = [a, b, c, d, e, f, g, h].map((value, index) => (value + (state[index] ?? 0n)) & mask);
  }
  const text = state.map((value) => value.toString(16).padStart(wordBits / 4, "0")).join("");
  return text.slice(0, bits / 4);
}
