/** Entry of the thread of the views: requests are answered in the order in which they come. */
import { silentLogger } from "../../base/log.ts";
import { LocalViews } from "../../pipeline/local-views.ts";
import { toThreadError } from "./libsql-thread.ts";
import { createPlatform } from "./platform.ts";
import type { ViewAnswer, ViewMessage } from "./view-messages.ts";
import { loadSqlModules } from "./wasm-modules.ts";

interface ThreadScope {
  onmessage: ((event: MessageEvent<ViewMessage>) => void) | null;
  postMessage(answer: ViewAnswer, transfer: ArrayBuffer[]): void;
}

const scope = globalThis as unknown as ThreadScope;
const views = new LocalViews({
  platform: createPlatform({ log: silentLogger }),
  modules: loadSqlModules(),
});

scope.onmessage = ({ data: { id, request } }) => {
  try {
    const reply = views.answer(request);
    const given = (reply.rows?.batches ?? []).map(({ buffer }) => buffer as ArrayBuffer);
    scope.postMessage({ id, reply, error: null }, given);
  } catch (error) {
    scope.postMessage({ id, reply: null, error: toThreadError(error) }, []);
  }
};
