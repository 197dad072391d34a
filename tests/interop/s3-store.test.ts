/**
 * The store contract on a real S3 server: MinIO, or the one that `MILLRACE_TEST_S3` names, as in
 * `s3://bucket?endpoint=http://127.0.0.1:19000&region=us-east-1`, with AWS_ACCESS_KEY_ID and
 * AWS_SECRET_ACCESS_KEY beside it; the bucket is made if it is not there.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { silentLogger } from "../../src/base/log.ts";
import { S3Store } from "../../src/store/s3-store.ts";
import { parseStoreUrl } from "../../src/store/store-url.ts";
import { expectCode, filled, objectStoreContract, same } from "../contract/object-store.ts";
import { realTimers, systemRandom } from "../support/real-timers.ts";
import { crc32c } from "../support/segments.ts";
import { startMinio } from "./support/minio.ts";

await run(process.env["MILLRACE_TEST_S3"] ?? (await ownServer()));

async function ownServer(): Promise<string> {
  const minio = await startMinio();
  afterAll(async () => await minio.stop());
  Object.assign(process.env, minio.env);
  return minio.storeUrl("");
}

async function run(url: string): Promise<void> {
  const parsed = parseStoreUrl(url);
  if (parsed.kind !== "s3") throw new Error("MILLRACE_TEST_S3 is not like s3://bucket?endpoint=…");
  const place = parsed;
  const region = place.region ?? "us-east-1";
  const admin = new S3Client({
    region,
    forcePathStyle: place.pathStyle,
    ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
  });
  await admin.send(new CreateBucketCommand({ Bucket: place.bucket })).catch((error: Error) => {
    if (!error.name.startsWith("BucketAlready")) throw error;
  });

  const platform = { timers: realTimers, random: systemRandom, crc32c, log: silentLogger };
  const runId = `${process.pid}-${Date.now()}`;
  let number = 0;

  function open(prefix: string, checksums = true, partBytes = 5 * 1024 * 1024): S3Store {
    const { bucket, endpoint, pathStyle } = place;
    const where = { bucket, prefix, endpoint, pathStyle, region };
    return new S3Store({ ...where, checksums, partBytes, platform });
  }

  objectStoreContract("S3", async () => {
    number += 1;
    const prefix = `contract/${runId}/${number}`;
    return {
      store: open(prefix),
      reopened: () => open(prefix),
      dispose: async () => {
        const store = open(prefix);
        const listed = await Array.fromAsync(store.list(""));
        await store.delete(listed.map(({ key }) => key));
        await store.close();
      },
    };
  });

  describe("S3 store on a real server", () => {
    test("writes and reads 8 MiB, with and without checksum headers", async () => {
      const bytes = filled(8 * 1024 * 1024, 5);
      for (const checksums of [true, false]) {
        const store = open(`large/${runId}/${checksums}`, checksums);
        const location = await store.writeSegment({ workerEpoch: 1, sequence: 1, bytes });
        expect(same(await store.read(location), bytes)).toBe(true);
        await store.delete([location.key]);
        await store.close();
      }
    });

    test("sends 12 MiB in parts, with and without checksum headers", async () => {
      const bytes = filled(12 * 1024 * 1024 + 1, 6);
      for (const checksums of [true, false]) {
        const store = open(`parts/${runId}/${checksums}`, checksums);
        const key = "segments/0000000001/00000001.log";
        const read = async (position: number, length: number) =>
          bytes.slice(position, position + length);
        await store.createFrom(key, { sizeBytes: bytes.length, read });
        const found = await store.read({ key, position: 0, length: bytes.length });
        expect(same(found, bytes)).toBe(true);
        const other = {
          sizeBytes: bytes.length,
          read: async (_: number, n: number) => filled(n, 7),
        };
        await expectCode(store.createFrom(key, other), "object_exists");
        await store.delete([key]);
        await store.close();
      }
    });

    test("lists and deletes more than one page of objects", async () => {
      const store = open(`pages/${runId}`);
      const keys = Array.from({ length: 1005 }, (_, index) => `p/${index}`);
      for (let start = 0; start < keys.length; start += 50) {
        const some = keys.slice(start, start + 50);
        await Promise.all(some.map((key) => store.create(key, new Uint8Array(1))));
      }
      expect((await Array.fromAsync(store.list("p/"))).length).toBe(1005);
      await store.delete(keys);
      expect(await Array.fromAsync(store.list("p/"))).toEqual([]);
      await store.close();
    }, 60_000);

    test("says which bucket is missing", async () => {
      const store = new S3Store({
        bucket: "millrace-no-such-bucket",
        prefix: "",
        endpoint: place.endpoint,
        pathStyle: true,
        region,
        platform,
      });
      await expect(store.create("x/y", new Uint8Array(1))).rejects.toThrow(
        "millrace-no-such-bucket",
      );
      await store.close();
    });
  });
}
