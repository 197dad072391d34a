/** The checksum and the codecs that the servers use, for tests of what stands on them. */
import { createCrc32c } from "../../src/base/crc32c-kernel.ts";
import { createCodecs } from "../../src/runtime/node/codecs.ts";
import { loadWasmModule } from "../../src/runtime/node/wasm-modules.ts";

export const crc32c = createCrc32c({ module: loadWasmModule("crc32c") });
export const codecs = createCodecs({
  snappy: loadWasmModule("snappy"),
  lz4: loadWasmModule("lz4"),
});
