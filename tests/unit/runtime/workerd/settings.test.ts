import { describe, expect, test } from "bun:test";
import type { Bindings } from "../../../../src/runtime/workerd/bindings.ts";
import { readWorkerSettings } from "../../../../src/runtime/workerd/settings.ts";

const read = (variables: Record<`MILLRACE_${string}`, string>) =>
  readWorkerSettings({
    MILLRACE_METADATA: "libsql://log.example",
    ...variables,
    LOG: {},
    BUCKET: {},
  } as unknown as Bindings);

describe("readWorkerSettings", () => {
  test("needs no more than the metadata's address", () => {
    expect(read({})).toMatchObject({
      metadataUrl: "libsql://log.example",
      token: undefined,
      origins: [],
      shards: 1,
      hasPeers: false,
      flushRateMax: undefined,
    });
  });

  test("looks for others' publishes where there are others", () => {
    expect(read({ MILLRACE_PEERS: "on" }).hasPeers).toBe(true);
    expect(read({ MILLRACE_SHARDS_MAX: "2" }).hasPeers).toBe(false);
  });

  test("takes the settings of a server within the same bounds", () => {
    const given = { MILLRACE_ORIGINS: "https://a.example, https://b.example" } as const;
    expect(read(given).origins).toEqual(["https://a.example", "https://b.example"]);
    expect(() => read({ MILLRACE_FLUSH_RATE_MAX: "fast" })).toThrow("MILLRACE_FLUSH_RATE_MAX");
    expect(() => read({ MILLRACE_SHARDS: "65" })).toThrow("from 1 to 64");
  });

  test("bounds what queries take of memory and of storage", () => {
    expect(read({})).toMatchObject({ stateBytes: 3 * 2 ** 20, scratchBytes: 2 ** 30 });
    expect(read({ MILLRACE_SCRATCH_BYTES: "4GiB" }).scratchBytes).toBe(4 * 2 ** 30);
    expect(() => read({ MILLRACE_SCRATCH_BYTES: "10GiB" })).toThrow("from 0 to 8GiB");
    expect(read({ MILLRACE_STATE_BYTES: "0" }).stateBytes).toBe(0);
    expect(() => read({ MILLRACE_STATE_BYTES: "13MiB" })).toThrow("from 0 to 12MiB");
  });

  test("has as many shards at most as it has at least", () => {
    expect(read({ MILLRACE_SHARDS_MAX: "4" })).toMatchObject({ shards: 1, shardsMax: 4 });
    expect(read({ MILLRACE_SHARDS: "3" })).toMatchObject({ shards: 3, shardsMax: 3 });
    expect(read({ MILLRACE_SHARDS: "3", MILLRACE_SHARDS_MAX: "2" }).shardsMax).toBe(3);
  });

  test("refuses metadata that no Worker reaches", () => {
    for (const url of ["file:/data/metadata.db", "memory:"] as const) {
      expect(() => read({ MILLRACE_METADATA: url })).toThrow("URL of a libSQL server");
    }
    expect(() => read({ MILLRACE_METADATA: "" })).toThrow("URL of a libSQL server");
  });
});
