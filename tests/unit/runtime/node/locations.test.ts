import { expect, test } from "bun:test";
import {
  parseMetadataUrl,
  parseStoreUrl,
  showStore,
} from "../../../../src/runtime/node/locations.ts";

test("parseStoreUrl reads folders, relative and absolute", () => {
  expect(parseStoreUrl("file:data/x/")).toEqual({ kind: "folder", directory: "data/x" });
  expect(parseStoreUrl("file:/srv/x")).toEqual({ kind: "folder", directory: "/srv/x" });
  expect(parseStoreUrl("file:///srv/x")).toEqual({ kind: "folder", directory: "/srv/x" });
  expect(parseStoreUrl("file:/")).toEqual({ kind: "folder", directory: "/" });
  expect(parseStoreUrl("file://host/x")).toBeUndefined();
});

test("showStore writes an address without the ornaments of its URL", () => {
  const url = "s3://bucket/some/prefix/?endpoint=http://127.0.0.1:9000&path-style=true";
  const store = parseStoreUrl(url);
  expect(store && showStore(store)).toBe("s3://bucket/some/prefix at http://127.0.0.1:9000");
  const root = parseStoreUrl("s3://bucket");
  expect(root && showStore(root)).toBe("s3://bucket");
});

test("parseMetadataUrl tells files from servers", () => {
  expect(parseMetadataUrl("file:m.db")).toEqual({ kind: "file", path: "m.db" });
  expect(parseMetadataUrl("memory:")).toEqual({ kind: "memory" });
  expect(parseMetadataUrl("http://127.0.0.1:8081")).toEqual({
    kind: "server",
    url: "http://127.0.0.1:8081",
  });
  expect(parseMetadataUrl("https://")).toBeUndefined();
});
