/** How fast the CRC-32C kernel sums, by length, in place and with the copy into its memory. */
import { crc32cReservedBytes, createCrc32c } from "../../src/base/crc32c-kernel.ts";
import { loadWasmModule } from "../../src/runtime/node/wasm-modules.ts";
import type { Benchmark } from "../benchmark.ts";
import type { Figure } from "../support/figures.ts";
import { randomLetters } from "../support/record-batches.ts";

const KiB = 1024;
const lengths = [100, KiB, 8 * KiB, 16 * KiB, 64 * KiB, 256 * KiB, 1024 * KiB];
const lengthMax = 1024 * KiB;
const callsAtOnce = 64;

export const crcBenchmark: Benchmark = {
  name: "crc",
  summary: "CRC-32C by length, in place and copied in",
  async run({ options, say }) {
    const pages = Math.ceil((crc32cReservedBytes + lengthMax) / 65_536);
    const memory = new WebAssembly.Memory({ initial: pages });
    const kernel = createCrc32c({ module: loadWasmModule("crc32c"), memory });
    const outside = randomLetters(lengthMax);
    new Uint8Array(memory.buffer, crc32cReservedBytes, lengthMax).set(outside);
    const millis = (options.seconds * 1000) / (lengths.length * 2);
    return lengths.flatMap((length): Figure[] => {
      say(`  ${length} bytes`);
      const view = outside.subarray(0, length);
      const range = { position: crc32cReservedBytes, length };
      const inPlace = bytesPerSecond(length, millis, () => kernel.ofMemory(range));
      const copied = bytesPerSecond(length, millis, () => kernel.of(view));
      const what = `CRC-32C of ${length} B`;
      return [
        { what: `${what}, in place`, value: inPlace / 1e6, unit: "MB/s" },
        { what: `${what}, copied in`, value: copied / 1e6, unit: "MB/s" },
      ];
    });
  },
};

function bytesPerSecond(length: number, millis: number, sum: () => number): number {
  const since = performance.now();
  let calls = 0;
  // What the loop makes of the sums is not used, but must not be provably useless.
  let mixed = 0;
  while (performance.now() - since < millis) {
    for (let index = 0; index < callsAtOnce; index++) mixed ^= sum();
    calls += callsAtOnce;
  }
  const seconds = (performance.now() - since) / 1000;
  return mixed === -1 ? 0 : (calls * length) / seconds;
}
