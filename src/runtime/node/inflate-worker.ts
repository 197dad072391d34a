/** Entry of the thread that decompresses what several queries read. */
import { silentLogger } from "../../base/log.ts";
import { inflateBatches } from "../../record/inflate-batches.ts";
import type { InflateAnswer, InflateRequest } from "./inflate-messages.ts";
import { createPlatform } from "./platform.ts";

interface ThreadScope {
  onmessage: ((event: MessageEvent<InflateRequest>) => void) | null;
  postMessage(answer: InflateAnswer): void;
}

const scope = globalThis as unknown as ThreadScope;
const { codecs } = createPlatform({ log: silentLogger });

scope.onmessage = ({ data }) => scope.postMessage({ bytes: inflated(data) });

function inflated({ chunks, bytesMax, target }: InflateRequest): Uint8Array | null {
  try {
    const { parts, bytes } = inflateBatches(chunks, { codecs, bytesMax });
    const fits = bytes <= target.length;
    const result = fits ? target.subarray(0, bytes) : new Uint8Array(new SharedArrayBuffer(bytes));
    let position = 0;
    for (const part of parts) {
      result.set(part, position);
      position += part.length;
    }
    return result;
  } catch {
    return null;
  }
}
