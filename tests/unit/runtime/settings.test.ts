import { describe, expect, test } from "bun:test";
import { UsageError } from "../../../src/runtime/node/options.ts";
import { isLoopback, readSettings, strayVariables } from "../../../src/runtime/settings.ts";

function refusal(argv: readonly string[], env: Record<string, string> = {}): string {
  try {
    readSettings(argv, env);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "accepted";
}

describe("readSettings", () => {
  test("gives the defaults that start a worker on this machine alone", () => {
    const settings = readSettings([], {});
    expect(settings.http).toEqual({ host: "127.0.0.1", port: 8080 });
    expect(settings.kafka).toEqual({ host: "127.0.0.1", port: 9092 });
    expect(settings.store).toEqual({ kind: "folder", directory: "./data/objects" });
    expect(settings.metadata).toEqual({ kind: "file", path: "./data/metadata.db" });
    expect(settings.fsync).toBe(true);
    expect(settings.flushBytes).toBe(8 * 1024 * 1024);
    expect(settings.cacheBytes).toBe(128 * 1024 * 1024);
    expect(settings.origins).toEqual([]);
    expect(settings.kafkaAdvertised).toBeUndefined();
  });

  test("takes no secret that would read as an access token", () => {
    expect(readSettings([], { MILLRACE_TOKEN: "s3cret" }).token).toBe("s3cret");
    expect(refusal([], { MILLRACE_TOKEN: "mrt_x" })).toContain("mrt_");
  });

  test("reads the topics that are public", () => {
    expect(readSettings([], {}).publicTopics).toEqual([]);
    expect(readSettings(["--public-topics", "a, b.c"], {}).publicTopics).toEqual(["a", "b.c"]);
    expect(refusal(["--public-topics", "a b"])).toContain("--public-topics");
  });

  test("derives the places from --data and the ceiling from the store", () => {
    const inFolder = readSettings(["--data", "/srv/log"], {});
    expect(inFolder.store).toEqual({ kind: "folder", directory: "/srv/log/objects" });
    expect(inFolder.metadata).toEqual({ kind: "file", path: "/srv/log/metadata.db" });
    expect(inFolder.flushRateMax).toBe(0);
    expect(readSettings(["--store", "s3://bucket/here"], {}).flushRateMax).toBe(4);
    expect(readSettings(["--store", "s3://bucket", "--flush-rate-max", "0"], {}).flushRateMax).toBe(
      0,
    );
    expect(readSettings(["--store", "memory:"], {}).metadata).toEqual({ kind: "memory" });
  });

  test("prefers a flag to its variable, and takes an empty variable as absent", () => {
    const env = { MILLRACE_FLUSH_AGE_MS: "9", MILLRACE_CACHE_BYTES: "", MILLRACE_FSYNC: "off" };
    const settings = readSettings(["--flush-age-ms=7"], env);
    expect(settings.flushAgeMs).toBe(7);
    expect(settings.cacheBytes).toBe(128 * 1024 * 1024);
    expect(settings.fsync).toBe(false);
  });

  test("bounds the memory of views between what one table needs and what one can have", () => {
    expect(readSettings([], {})).toMatchObject({
      ...{ viewMemoryBytes: 512 * 1024 * 1024, viewIdleMs: 600_000, viewChangesMax: 65_536 },
    });
    const kept = readSettings(["--view-idle-ms", "5000"], { MILLRACE_VIEW_CHANGES_MAX: "7" });
    expect(kept).toMatchObject({ viewIdleMs: 5_000, viewChangesMax: 7 });
    expect(refusal(["--view-idle-ms", "0"])).toContain("--view-idle-ms");
    const given = readSettings(["--view-memory-bytes", "8MiB"], {});
    expect(given.viewMemoryBytes).toBe(8 * 1024 * 1024);
    expect(refusal(["--view-memory-bytes", "7MiB"])).toContain("--view-memory-bytes");
    expect(refusal(["--view-memory-bytes", "3GiB"])).toContain("--view-memory-bytes");
  });

  test("reads every setting from its variable", () => {
    const settings = readSettings([], {
      MILLRACE_HTTP: "[::1]:0",
      MILLRACE_KAFKA: "off",
      MILLRACE_KAFKA_ADVERTISED: "proxy.example:31092",
      MILLRACE_STORE: "s3://bucket/a/b/?endpoint=http://127.0.0.1:9000&region=eu&path-style=true",
      MILLRACE_METADATA: "libsql://db.example",
      MILLRACE_METADATA_TOKEN: "m",
      MILLRACE_TOKEN: "t",
      MILLRACE_ORIGINS: "https://a.example, http://localhost:3000",
      MILLRACE_AUTO_CREATE_TOPICS: "off",
      MILLRACE_DEFAULT_PARTITIONS: "12",
      MILLRACE_ALLOW_ANONYMOUS: "1",
      MILLRACE_LOG_LEVEL: "debug",
      MILLRACE_LOG_FORMAT: "json",
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "key",
    });
    expect(settings).toMatchObject({
      http: { host: "::1", port: 0 },
      kafka: "off",
      kafkaAdvertised: { host: "proxy.example", port: 31092 },
      store: {
        kind: "s3",
        bucket: "bucket",
        prefix: "a/b",
        endpoint: "http://127.0.0.1:9000",
        region: "eu",
        pathStyle: true,
      },
      metadata: { kind: "server", url: "libsql://db.example" },
      metadataToken: "m",
      token: "t",
      origins: ["https://a.example", "http://localhost:3000"],
      autoCreateTopics: false,
      defaultPartitions: 12,
      allowAnonymous: true,
      logLevel: "debug",
      logFormat: "json",
      awsAccessKeyId: "id",
      awsSecretAccessKey: "key",
    });
  });

  test.each([
    ["--http", "8080", "HOST:PORT"],
    ["--http", "localhost:70000", "HOST:PORT"],
    ["--kafka", "on", "off or HOST:PORT"],
    ["--kafka-advertised", "off", "HOST:PORT"],
    ["--data", "", "a dir"],
    ["--store", "ftp://x", "file:DIR, memory: or s3://"],
    ["--store", "file:", "file:DIR"],
    ["--store", "s3://bucket?regoin=eu", '("regoin" is not among endpoint'],
    ["--store", "s3://key:secret@bucket", "a bucket name is"],
    ["--store", "s3://bucket?endpoint=127.0.0.1:9000", "endpoint=http://"],
    ["--metadata", "postgres://x", "libsql://"],
    ["--flush-bytes", "eight", "a size such as 8MiB"],
    ["--flush-bytes", "1KiB", "from 64KiB to 256MiB"],
    ["--flush-age-ms", "-1", "a whole number from 0 to 60000"],
    ["--flush-rate-max", "4.5", "a whole number"],
    ["--cache-bytes", "12 parsecs", "a size"],
    ["--fsync", "yes", "on or off"],
    ["--auto-create-topics", "maybe", "on or off"],
    ["--default-partitions", "0", "from 1 to 10000"],
    ["--origins", "app.example", "origins such as https://app.example"],
    ["--origins", "https://app.example/path", "origins"],
    ["--log-level", "loud", "debug, info, warn or error"],
    ["--log-format", "xml", "text or json"],
  ])("refuses %s %p and names flag, value and what is allowed", (flag, value, allowed) => {
    const message = refusal([flag, value]);
    expect(message).toStartWith(`${flag} is ${JSON.stringify(value)}: expected `);
    expect(message).toContain(allowed);
  });

  test("names the variable when the wrong value came from there", () => {
    expect(refusal([], { MILLRACE_FSYNC: "perhaps" })).toBe(
      'MILLRACE_FSYNC is "perhaps": expected on or off',
    );
  });

  test("refuses what is no setting and suggests what was meant", () => {
    expect(refusal(["--flsh-bytes", "1"])).toBe(
      "Unknown option --flsh-bytes, did you mean --flush-bytes? See streamctl server --help",
    );
    expect(refusal(["now"])).toContain('"now" means nothing here');
    expect(refusal(["--fsync", "on", "--fsync", "off"])).toContain("given twice");
    expect(refusal(["--http", "--kafka", "off"])).toContain("--http needs a value");
    expect(refusal(["--allow-anonymous=yes"])).toContain("takes no value");
  });

  test("refuses secrets on the command line without repeating them", () => {
    const message = refusal(["--token", "hunter2"]);
    expect(message).toContain("MILLRACE_TOKEN");
    expect(message).not.toContain("hunter2");
  });

  test("refuses a bind beyond loopback without a token, unless it is meant", () => {
    expect(refusal(["--http", "0.0.0.0:80"])).toStartWith("--http 0.0.0.0:80 can be reached");
    expect(refusal(["--kafka", "[::]:9092"])).toStartWith("--kafka [::]:9092 can be reached");
    expect(refusal(["--http", "0.0.0.0:80"], { MILLRACE_TOKEN: "s" })).toBe("accepted");
    expect(refusal(["--http", "0.0.0.0:80", "--allow-anonymous"])).toBe("accepted");
    expect(refusal(["--http", "localhost:80", "--kafka", "127.1.2.3:9"])).toBe("accepted");
  });

  test("refuses half of a pair of S3 keys", () => {
    expect(refusal([], { AWS_ACCESS_KEY_ID: "id" })).toContain("AWS_SECRET_ACCESS_KEY is not");
  });

  test("refuses a store that forgets beside metadata that does not, and the reverse", () => {
    const kept = refusal(["--store", "memory:", "--metadata", "file:m.db"]);
    expect(kept).toStartWith("--store memory: forgets everything at exit");
    expect(refusal(["--metadata", "memory:"])).toStartWith("--metadata memory: forgets");
  });
});

test("isLoopback knows this machine's own addresses", () => {
  expect(["127.0.0.1", "127.9.9.9", "::1", "localhost"].every(isLoopback)).toBe(true);
  expect(["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example"].some(isLoopback)).toBe(false);
});

test("strayVariables finds misspelled settings and leaves the client's own alone", () => {
  const env = { MILLRACE_FLUSHBYTES: "1", MILLRACE_URL: "x", MILLRACE_HTTP: "y", HOME: "/" };
  expect(strayVariables(env)).toEqual(["MILLRACE_FLUSHBYTES"]);
});
