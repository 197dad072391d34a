/** The contract of object stores over R2's binding, inside workerd. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { bundleWorker } from "../../deploy/cloudflare/bundle.ts";
import { startIsolate } from "../support/isolate.ts";

const folder = join(import.meta.dirname, "workerd");
const bundle = await bundleWorker({
  entry: join(folder, "r2-worker.ts"),
  minify: false,
  plugins: [
    {
      name: "suite",
      setup({ onResolve }) {
        onResolve({ filter: /^bun:test$/ }, () => ({ path: join(folder, "suite.ts") }));
      },
    },
  ],
});
const isolate = await startIsolate(bundle, { r2Buckets: ["BUCKET"] });
const names = (await (await fetch(isolate.url)).json()) as string[];

describe("in workerd", () => {
  afterAll(() => isolate.stop());

  for (const name of names) {
    test(name, async () => {
      const answer = await fetch(`${isolate.url}/run?case=${encodeURIComponent(name)}`);
      expect(await answer.text()).toBe("passed");
    });
  }

  test("the whole contract was there", () => {
    expect(names.filter((name) => name.startsWith("R2 store: ")).length).toBeGreaterThan(15);
  });
});
