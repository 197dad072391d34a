/** The Worker: what `npm run build:worker` bundles and Cloudflare runs. */
import type { Bindings } from "./bindings.ts";
import { createConsoleLogger } from "./console-log.ts";
import { answerRequest } from "./front.ts";
import { firstShard } from "./object-names.ts";

// biome-ignore lint/performance/noBarrelFile: workerd finds the classes of objects by these exports.
export { GroupObject, LogObject, QueryObject } from "./log-object.ts";

/** As in wrangler.jsonc: the trigger that also walks the whole bucket; any other only cleans up. */
const orphansCron = "17 3 * * *";

const log = createConsoleLogger("info");

interface CallContext {
  waitUntil(work: Promise<unknown>): void;
}

export default {
  fetch(request: Request, bindings: Bindings, context: CallContext): Promise<Response> {
    return answerRequest(request, bindings, { log, later: (work) => context.waitUntil(work) });
  },

  async scheduled(event: { readonly cron: string }, { LOG }: Bindings): Promise<void> {
    await LOG.getByName(firstShard).maintain({ collectsOrphans: event.cron === orphansCron });
  },
};
