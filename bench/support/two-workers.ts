/** Two workers on one store and one libSQL server. */
import { join } from "node:path";
import type { BenchContext } from "../benchmark.ts";
import { withMetadataServer } from "./metadata.ts";
import { Millrace, ownPrefix } from "./millrace.ts";
import { removeFolder, temporaryFolder } from "./processes.ts";

/** Runs `use` with both; whichever still runs afterwards is stopped. */
export async function withTwoWorkers<T>(
  context: BenchContext,
  flags: readonly string[],
  use: (first: Millrace, second: Millrace) => Promise<T>,
): Promise<T> {
  const { options } = context;
  const folder = temporaryFolder(options.folder);
  const store = options.store ? ownPrefix(options.store) : `file:${join(folder, "objects")}`;
  return await withMetadataServer(context, async (metadata) => {
    const place = { store, metadata, flags };
    const workers: Millrace[] = [];
    try {
      const first = await Millrace.start(options, place);
      workers.push(first);
      const second = await Millrace.start(options, place);
      workers.push(second);
      return await use(first, second);
    } finally {
      for (const worker of workers) if (!worker.program.hasEnded) await worker.stop();
      removeFolder(folder);
    }
  });
}
