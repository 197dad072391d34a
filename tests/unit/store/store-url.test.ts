import { expect, test } from "bun:test";
import { parseStoreUrl } from "../../../src/store/store-url.ts";

test("parseStoreUrl reads memory and folders", () => {
  expect(parseStoreUrl("memory:")).toEqual({ kind: "memory" });
  expect(parseStoreUrl("file:./data/segments/")).toEqual({
    kind: "folder",
    directory: "./data/segments",
  });
  expect(parseStoreUrl("file:/var/lib/x")).toEqual({ kind: "folder", directory: "/var/lib/x" });
  expect(parseStoreUrl("file:///var/my%20lib")).toEqual({
    kind: "folder",
    directory: "/var/my lib",
  });
});

test("parseStoreUrl reads S3 with every setting", () => {
  const url =
    "s3://my-bucket/some/prefix/?endpoint=http://127.0.0.1:9000/&region=eu-central-1" +
    "&path-style=false&checksums=false";
  expect(parseStoreUrl(url)).toEqual({
    kind: "s3",
    bucket: "my-bucket",
    prefix: "some/prefix",
    endpoint: "http://127.0.0.1:9000",
    region: "eu-central-1",
    pathStyle: false,
    checksums: false,
  });
});

test("parseStoreUrl takes path style where an endpoint is given, else the bucket's host", () => {
  expect(parseStoreUrl("s3://bucket?endpoint=http://localhost:1")).toMatchObject({
    pathStyle: true,
    prefix: "",
    checksums: true,
  });
  expect(parseStoreUrl("s3://bucket/p")).toMatchObject({ pathStyle: false, endpoint: undefined });
});

test("parseStoreUrl says what is wrong and what is allowed", () => {
  const cases: readonly [string, string][] = [
    ["", 'use "file:DIR"'],
    ["/data", 'use "file:DIR"'],
    ["gs://bucket", "s3://bucket/prefix"],
    ["file:", "name a folder"],
    ["file:/", "name a folder"],
    ["file://host/x", "without a host"],
    ["file:///%zz", "begins no escape"],
    ["s3://", "3 to 63 characters"],
    ["s3://Bucket", "3 to 63 characters"],
    ["s3://bucket/../x", "no part may be"],
    ["s3://bucket/a//b", "no part may be"],
    ["s3://bucket?a=b?c=d", "two question marks"],
    ["s3://bucket?regoin=x", '"regoin" is not among endpoint'],
    ["s3://bucket?region=a&region=b", "stands twice"],
    ["s3://bucket?region=a b", "is no region"],
    ["s3://bucket?endpoint=localhost", "http://host:port"],
    ["s3://bucket?endpoint=ftp://x", "http://host:port"],
    ["s3://bucket?path-style=yes", "neither true nor false"],
  ];
  for (const [text, part] of cases) {
    expect(() => parseStoreUrl(text)).toThrow(part);
  }
});
