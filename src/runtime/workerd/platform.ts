/**
 * The Platform of workerd. It compiles no WebAssembly at run time, so the kernels are imported as
 * modules, which the bundle carries; everything else is what Bun and Deno use too, by way of
 * `nodejs_compat`. Its clocks stand still between two operations of input or output.
 */
import crc32cModule from "../../../wasm/build/crc32c.wasm";
import lz4Module from "../../../wasm/build/lz4.wasm";
import snappyModule from "../../../wasm/build/snappy.wasm";
import { createCrc32c } from "../../base/crc32c-kernel.ts";
import type { Logger } from "../../base/log.ts";
import type { Platform } from "../../base/platform.ts";
import { createCodecs } from "../node/codecs.ts";
import { clock, random, timers } from "../node/platform.ts";

/**
 * workerd's one-call zstd fails where its output is larger than some 64 KiB ("Unexpected end of
 * file"), so that it makes frames which are smaller in any case.
 */
const zstdFrameBytesMax = 32 * 1024;

/**
 * Builds the Platform of an isolate. Its timers fire within the context that set them: a log needs
 * a Durable Object, whose requests share one, since a Worker's timers end with their request.
 */
export function createPlatform(options: {
  readonly log: Logger;
  /** Memory that checksums are wanted of without a copy; see createCrc32c. */
  readonly memory: WebAssembly.Memory;
}): Platform {
  const { log, memory } = options;
  const codecs = createCodecs({ snappy: snappyModule, lz4: lz4Module, zstdFrameBytesMax });
  const crc32c = createCrc32c({ module: crc32cModule, memory });
  return { clock, timers, random, codecs, crc32c, log };
}
