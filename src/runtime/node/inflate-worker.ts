/** Entry of the thread that decompresses what several queries read. */
import { silentLogger } from "../../base/log.ts";
import { inflateBatches } from "../../record/inflate-batches.ts";
import type { InflateAnswer, InflateRequest } from "./inflate-messages.ts";
import { createPlatform } from "./platform.ts";
import { SharedViews } from "./shared-names.ts";

interface ThreadScope {
  onmessage: ((event: MessageEvent<InflateRequest>) => void) | null;
  postMessage(answer: InflateAnswer): void;
}

const scope = globalThis as unknown as ThreadScope;
const { codecs } = createPlatform({ log: silentLogger });

const views = new SharedViews();

scope.onmessage = ({ data }) => scope.postMessage(inflated(data));

function inflated({ shared, chunks, bytesMax, target }: InflateRequest): InflateAnswer {
  views.learn(shared);
  try {
    const packed = chunks.map((place) => views.at(place));
    const { parts, bytes } = inflateBatches(packed, { codecs, bytesMax });
    const wanted = views.at(target);
    const fits = bytes <= wanted.length;
    const result = fits ? wanted : new Uint8Array(new SharedArrayBuffer(bytes));
    let position = 0;
    for (const part of parts) {
      result.set(part, position);
      position += part.length;
    }
    return { length: bytes, elsewhere: fits ? null : result };
  } catch {
    return { length: null, elsewhere: null };
  }
}
