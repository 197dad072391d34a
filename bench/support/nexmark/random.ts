/** Random numbers that depend on the seed alone: xoshiro128**, seeded by splitmix32. */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    let state = seed | 0;
    const mixed = () => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.#a = mixed();
    this.#b = mixed();
    this.#c = mixed();
    this.#d = mixed() | 1;
  }

  /** 32 bits, as a signed number. */
  bits(): number {
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** A whole number in [0, count), count up to 2^32. */
  below(count: number): number {
    return Math.floor(((this.bits() >>> 0) / 4_294_967_296) * count);
  }

  /** In [0, 1). */
  fraction(): number {
    return ((this.bits() >>> 0) * 2_097_152 + (this.bits() >>> 11)) / 9_007_199_254_740_992;
  }
}
