/** What an isolate holds on workerd, of which Cloudflare lets it have 128 MB. */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { holdKeys, type keyQueries } from "../../bench/support/edge-keys.ts";
import { EdgePlace } from "../../bench/support/edge-place.ts";
import { IsolateInspector, watched } from "../../bench/support/isolate-memory.ts";
import { bundleWorker, type WorkerBundle } from "../../deploy/cloudflare/bundle.ts";
import { freePorts } from "../support/processes.ts";

const entry = join(import.meta.dir, "../../bench/support/measured-worker.ts");
const keys = 40_000;

describe("an isolate with a log object and a query's", () => {
  let bundle: WorkerBundle;
  beforeAll(async () => {
    bundle = await bundleWorker({ entry, minify: true });
  }, 60_000);

  const queries: (keyof typeof keyQueries)[] = ["groups", "windows"];
  for (const query of queries) {
    test(`stays within 128 MB with ${query} of ${keys} keys, which are committed`, async () => {
      const [inspectorPort = 0] = await freePorts(1);
      const variables = { MILLRACE_QUERIES: "on", MILLRACE_FLUSH_RATE_MAX: "0" };
      const place = await EdgePlace.start({ bundle, variables, inspectorPort });
      try {
        const inspector = await IsolateInspector.connect(inspectorPort);
        const { most } = await watched(place, inspector, () => holdKeys(place, { query, keys }));
        inspector.close();
        expect(most.totalBytes).toBeLessThan(128e6);
        // The ring of the log object and the query's own memory are counted.
        expect(most.wasmBytes).toBeGreaterThan(50e6);
      } finally {
        await place.stop();
      }
    }, 60_000);
  }
});
